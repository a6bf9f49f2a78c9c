export const id = 756;
export const ids = [756];
export const modules = {

/***/ 620:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   i: () => (/* binding */ i),
/* harmony export */   n: () => (/* binding */ r),
/* harmony export */   r: () => (/* binding */ a),
/* harmony export */   t: () => (/* binding */ t)
/* harmony export */ });
const e={d:864e5,h:36e5,m:6e4,s:1e3,ms:1},t=/^(?:[0-9]+(?:\.[0-9]+)?d)?(?:[0-9]+(?:\.[0-9]+)?h)?(?:[0-9]+(?:\.[0-9]+)?m)?(?:[0-9]+(?:\.[0-9]+)?s)?(?:[0-9]+(?:\.[0-9]+)?ms)?$/,n=/^[0-9]+(?:\.[0-9]+)?$/,r=24*e.d;function i(r){if(typeof r==`number`)return Number.isFinite(r)&&r>=0?Math.round(r*e.s):null;let i=r.length>64?``:r.trim();if(n.test(i))return Math.round(Number(i)*e.s);if(i===``||!t.test(i))return null;let a=0;for(let[,e,t]of i.matchAll(/([0-9.]+)(ms|[dhms])/g))a+=Number(e)*o(t);return Math.round(a)}function a(t){let n=Math.round(t),r=``;for(let[t,i]of Object.entries(e)){let e=Math.floor(n/i);e>0&&(r+=`${e}${t}`,n-=e*i)}return r===``?`0s`:r}function o(t){switch(t){case`d`:case`h`:case`m`:case`s`:case`ms`:return e[t];default:return NaN}}

/***/ }),

/***/ 215:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   policyJsonSchema: () => (/* binding */ s)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(123);
/* harmony import */ var _shape_CnBWhekA_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(732);
/* harmony import */ var _schema_cj0kcE56_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(776);
/* harmony import */ var _escape_WPHihc8z_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(840);
function s(){let t=u((0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)(_schema_cj0kcE56_js__WEBPACK_IMPORTED_MODULE_3__.t).partial()),n=u((0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)(_schema_cj0kcE56_js__WEBPACK_IMPORTED_MODULE_3__.n).partial()),r={$ref:`#/$defs/condition`},s=e=>({...f(e),items:{$ref:`#/$defs/action`}}),p=f(n.properties),m=f(p.back);return{$schema:`https://json-schema.org/draft/2020-12/schema`,$id:`urn:stagewright:schema:policy`,title:`Stagewright policy`,description:`How pull requests move through stages.`,...d(t),properties:{...f(t.properties),stages:{...f(f(t.properties).stages),items:{$ref:`#/$defs/stage`}}},anyOf:[{required:[`stages`]},{required:[`extends`]}],$defs:{stage:{...d(n),required:[`name`],properties:{...p,enter:{...f(p.enter),...r},when:{...f(p.when),...r},on_enter:s(p.on_enter??{}),on_back:s(p.on_back??{}),on_overdue:s(p.on_overdue??{}),back:{...m,required:[`when`,`to`],properties:{...f(m.properties),when:r}}}},condition:c(),action:{type:`object`,minProperties:1,maxProperties:1,additionalProperties:!1,properties:l(_schema_cj0kcE56_js__WEBPACK_IMPORTED_MODULE_3__.r)}}}}function c(){let e={$ref:`#/$defs/condition`},t={type:`array`,minItems:1,items:e};return{anyOf:[{enum:Object.entries(_schema_cj0kcE56_js__WEBPACK_IMPORTED_MODULE_3__.a).filter(([,{schema:e}])=>e.safeParse(null).success).map(([e])=>e)},{type:`object`,minProperties:1,additionalProperties:!1,properties:{...l(_schema_cj0kcE56_js__WEBPACK_IMPORTED_MODULE_3__.a),result:{enum:[`success`,`failure`,`cancelled`],description:"Beside `workflow`: how its run ended."},all:{...f(t),description:`All of these hold.`},any:{...f(t),description:`At least one of these holds.`},not:{...f(e),description:`This does not hold.`}}}]}}function l(e){return Object.fromEntries(Object.entries(e).map(([e,{schema:t,help:n}])=>[e,{...d(u(t)),description:n}]))}function u(e){return f(JSON.parse(JSON.stringify((0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.x)(e,{io:`input`,target:`draft-2020-12`}))))}function d(e){return Object.fromEntries(Object.entries(e).filter(([e])=>e!==`$schema`))}function f(e){return (0,_shape_CnBWhekA_js__WEBPACK_IMPORTED_MODULE_2__.t)(e)?JSON.parse(JSON.stringify(e)):{}}

/***/ }),

/***/ 732:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ r),
/* harmony export */   c: () => (/* binding */ l),
/* harmony export */   i: () => (/* binding */ i),
/* harmony export */   n: () => (/* binding */ f),
/* harmony export */   o: () => (/* binding */ o),
/* harmony export */   r: () => (/* binding */ p),
/* harmony export */   s: () => (/* binding */ s),
/* harmony export */   t: () => (/* binding */ _)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(123);
var n=(/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)((e=>{e.__esModule=!0,e.distance=e.closest=void 0;var t=/* @__PURE__ */ new Uint32Array(65536),n=function(e,n){for(var r=e.length,i=n.length,a=1<<r-1,o=-1,s=0,c=r,l=r;l--;)t[e.charCodeAt(l)]|=1<<l;for(l=0;l<i;l++){var u=t[n.charCodeAt(l)],d=u|s;u|=(u&o)+o^o,s|=~(u|o),o&=u,s&a&&c++,o&a&&c--,s=s<<1|1,o=o<<1|~(d|s),s&=d}for(l=r;l--;)t[e.charCodeAt(l)]=0;return c},r=function(e,n){for(var r=n.length,i=e.length,a=[],o=[],s=Math.ceil(r/32),c=Math.ceil(i/32),l=0;l<s;l++)o[l]=-1,a[l]=0;for(var u=0;u<c-1;u++){for(var d=0,f=-1,p=u*32,m=Math.min(32,i)+p,h=p;h<m;h++)t[e.charCodeAt(h)]|=1<<h;for(var l=0;l<r;l++){var g=t[n.charCodeAt(l)],_=o[l/32|0]>>>l&1,v=a[l/32|0]>>>l&1,y=g|d,b=((g|v)&f)+f^f|g|v,x=d|~(b|f),S=f&b;x>>>31^_&&(o[l/32|0]^=1<<l),S>>>31^v&&(a[l/32|0]^=1<<l),x=x<<1|_,S=S<<1|v,f=S|~(y|x),d=x&y}for(var h=p;h<m;h++)t[e.charCodeAt(h)]=0}for(var C=0,w=-1,T=u*32,E=Math.min(32,i-T)+T,h=T;h<E;h++)t[e.charCodeAt(h)]|=1<<h;for(var D=i,l=0;l<r;l++){var g=t[n.charCodeAt(l)],_=o[l/32|0]>>>l&1,v=a[l/32|0]>>>l&1,y=g|C,b=((g|v)&w)+w^w|g|v,x=C|~(b|w),S=w&b;D+=x>>>i-1&1,D-=S>>>i-1&1,x>>>31^_&&(o[l/32|0]^=1<<l),S>>>31^v&&(a[l/32|0]^=1<<l),x=x<<1|_,S=S<<1|v,w=S|~(y|x),C=x&y}for(var h=T;h<E;h++)t[e.charCodeAt(h)]=0;return D},i=function(e,t){if(e.length<t.length){var i=t;t=e,e=i}return t.length===0?e.length:e.length<=32?n(e,t):r(e,t)};e.distance=i,e.closest=function(e,t){for(var n=1/0,r=0,a=0;a<t.length;a++){var o=i(e,t[a]);o<n&&(n=o,r=a)}return t[r]}})))();const r={line:1,column:1};var i=class{file;found=[];seen=/* @__PURE__ */ new Set;constructor(e){this.file=e}error(e,t){this.add(`error`,e,t)}warning(e,t){this.add(`warning`,e,t)}suggest(e,t){return this.found.length>100?``:l(e,[...t].slice(0,1e3))}get hasErrors(){return this.found.some(e=>e.severity===`error`)}list(){let e=this.found.filter(e=>e.severity===`error`),t=this.found.filter(e=>e.severity===`warning`),n=[...e.sort(a),...t.sort(a)],r=n.slice(0,100).sort(a),i=r.at(-1);if(i!==void 0&&n.length>r.length){let t=e.length>r.length?`error`:`warning`;r.push({...i,severity:t,message:`and ${n.length-r.length} more problems in this file`})}return r}add(e,t,n){let r=`${t.line}:${t.column}:${n}`;this.seen.has(r)||(this.seen.add(r),this.found.push({severity:e,file:this.file,line:t.line,column:t.column,message:n}))}};function a(e,t){return e.line-t.line||e.column-t.column||(e.message<t.message?-1:1)}function o(e){return`${e.file}:${e.line}:${e.column}: ${e.severity}: ${e.message}`}function s(e){switch(typeof e){case`string`:{let t=e.length>60?`${e.slice(0,59)}\u2026`:e;return JSON.stringify(t).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,c)}case`number`:case`boolean`:case`bigint`:return String(e);case`undefined`:return`nothing`;case`object`:return e===null?`nothing`:Array.isArray(e)?e.length===0?`an empty list`:`a list`:`a mapping`;case`function`:case`symbol`:return typeof e}}function c(e){return`\\u${e.charCodeAt(0).toString(16).padStart(4,`0`)}`}function l(e,t){if(e.length>64)return``;let r=u(e),i=null,a=Math.max(e.length<2?0:e.length<4?1:2,Math.floor(e.length/3))+1;for(let e of t){let t=u(e),o=r.length===t.length&&d(r)===d(t)?Math.min(1,(0,n.distance)(r,t)):(0,n.distance)(r,t);o<a&&([i,a]=[e,o])}return i===null?``:`; did you mean ${JSON.stringify(i)}?`}function u(e){return e.toLowerCase().replaceAll(`-`,`_`)}function d(e){return[...e].sort().join(``)}function f(e,t,n,r=/* @__PURE__ */ new Map,i=Object.keys(e)){let a={};for(let[o,c]of Object.entries(t)){let t=[...n.path,o],u=Object.hasOwn(e,o)?e[o]:void 0;if(u===void 0){let e=r.get(o),a=`unknown key ${s(o)}${l(o,i)}`;n.problems.error(n.source.keyAt(t),e===void 0?a:`${o}: ${e} not built yet`)}else{let e=p(u,c,{...n,path:t},o);e!==void 0&&(a[o]=e)}}return a}function p(e,n,r,i){let a=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.y)(e,n);if(a.success)return a.data;for(let e of a.error.issues)m(e,n,r,i)}function m(e,t,n,r){let i=e.code===`invalid_union`?h(e.errors):null;if(i!==null){for(let a of i)m({...a,path:[...e.path,...a.path]},t,n,r);return}let a=e.path.map(e=>typeof e==`symbol`?String(e):e),o=[...n.path,...a],c=[r,...a].join(`.`);if(e.code===`unrecognized_keys`){let t=e.message.split(`
`);e.keys.forEach((e,r)=>{let i=n.source.keyAt([...o,e]);n.problems.error(i,`${c}: ${t[r]??`unknown key ${s(e)}`}`)})}else e.code===`invalid_key`?n.problems.error(n.source.keyAt(o),`${c}: ${e.issues[0]?.message??e.message}`):n.problems.error(n.source.at(o),`${c}: ${e.message}, got ${s(g(t,a))}`)}function h(e){return e.filter(e=>!e.some(e=>e.path.length===0&&[`invalid_type`,`invalid_value`].includes(e.code))).sort((e,t)=>e.length-t.length)[0]??null}function g(e,t){let n=e;for(let e of t)n=_(n)?n[e]:Array.isArray(n)?n[Number(e)]:void 0;return n}function _(e){return typeof e==`object`&&!!e&&!Array.isArray(e)}

/***/ })

};
