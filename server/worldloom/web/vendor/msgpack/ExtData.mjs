class c{type;data;constructor(t,a){this.type=t,this.data=a}}export{c as ExtData};
