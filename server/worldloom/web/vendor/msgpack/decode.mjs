import{Decoder as o}from"./Decoder.mjs";function t(e,d){return new o(d).decode(e)}function n(e,d){return new o(d).decodeMulti(e)}export{t as decode,n as decodeMulti};
