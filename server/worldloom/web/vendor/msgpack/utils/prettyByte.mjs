function r(t){return`${t<0?"-":""}0x${Math.abs(t).toString(16).padStart(2,"0")}`}export{r as prettyByte};
