import{Encoder as o}from"./Encoder.mjs";function d(e,n){return new o(n).encodeSharedRef(e)}export{d as encode};
