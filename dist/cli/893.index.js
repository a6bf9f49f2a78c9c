export const id = 893;
export const ids = [893];
export const modules = {

/***/ 996:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   agent: () => (/* reexport safe */ _agent_roALvtqE_js__WEBPACK_IMPORTED_MODULE_0__.n)
/* harmony export */ });
/* harmony import */ var _agent_roALvtqE_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(411);


/***/ }),

/***/ 791:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ o),
/* harmony export */   i: () => (/* binding */ i),
/* harmony export */   n: () => (/* binding */ a),
/* harmony export */   r: () => (/* binding */ r),
/* harmony export */   t: () => (/* binding */ n)
/* harmony export */ });
const e=1024,t=1024*e,n={fileBytes:t,planBytes:4*t,agents:1e4,stages:1e3,tasks:1e5,concurrency:1e3,attempts:1e3,name:100,longName:200,description:1e3,path:4096,variable:255,argumentBytes:1e5,param:1e4,taskBytes:64*e-1,list:1e4,patterns:1e3,expectations:1e3,durationMs:20736e5},r={metrics:1e3,unit:64,histograms:100,histogramBytes:256*e,annotations:1e3,annotationTitle:255,annotationMessage:16*e,outputBytes:256*e,annotationBytes:256*e,reportBytes:t,tail:16*e,reason:4096,tasks:1e4},i={bodyBytes:8*t,answerBytes:16*t,reports:500,reportBytes:t,tasks:5e3,taskBytes:t,doing:500,holdMs:3e4,syncsPerSecond:1e3,pageBytes:32*e},a={stageOutputBytes:256*e,outputBytes:16*t,metrics:1e3,annotations:1e3,annotationBytes:t,leaseBytes:t,taskOutputBytes:8*e,allTaskOutputBytes:t,tailOfSuccess:2*e,remark:1e3};function o(e){return Buffer.byteLength(JSON.stringify(e)??``)}

/***/ }),

/***/ 808:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ f),
/* harmony export */   c: () => (/* binding */ r),
/* harmony export */   d: () => (/* binding */ l),
/* harmony export */   i: () => (/* binding */ v),
/* harmony export */   l: () => (/* binding */ o),
/* harmony export */   n: () => (/* binding */ C),
/* harmony export */   o: () => (/* binding */ p),
/* harmony export */   r: () => (/* binding */ S),
/* harmony export */   s: () => (/* binding */ i),
/* harmony export */   t: () => (/* binding */ b),
/* harmony export */   u: () => (/* binding */ s)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(306);
var n=(/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)((e=>{e.__esModule=!0,e.distance=e.closest=void 0;var t=/* @__PURE__ */ new Uint32Array(65536),n=function(e,n){for(var r=e.length,i=n.length,a=1<<r-1,o=-1,s=0,c=r,l=r;l--;)t[e.charCodeAt(l)]|=1<<l;for(l=0;l<i;l++){var u=t[n.charCodeAt(l)],d=u|s;u|=(u&o)+o^o,s|=~(u|o),o&=u,s&a&&c++,o&a&&c--,s=s<<1|1,o=o<<1|~(d|s),s&=d}for(l=r;l--;)t[e.charCodeAt(l)]=0;return c},r=function(e,n){for(var r=n.length,i=e.length,a=[],o=[],s=Math.ceil(r/32),c=Math.ceil(i/32),l=0;l<s;l++)o[l]=-1,a[l]=0;for(var u=0;u<c-1;u++){for(var d=0,f=-1,p=u*32,m=Math.min(32,i)+p,h=p;h<m;h++)t[e.charCodeAt(h)]|=1<<h;for(var l=0;l<r;l++){var g=t[n.charCodeAt(l)],_=o[l/32|0]>>>l&1,v=a[l/32|0]>>>l&1,y=g|d,b=((g|v)&f)+f^f|g|v,x=d|~(b|f),S=f&b;x>>>31^_&&(o[l/32|0]^=1<<l),S>>>31^v&&(a[l/32|0]^=1<<l),x=x<<1|_,S=S<<1|v,f=S|~(y|x),d=x&y}for(var h=p;h<m;h++)t[e.charCodeAt(h)]=0}for(var C=0,w=-1,T=u*32,E=Math.min(32,i-T)+T,h=T;h<E;h++)t[e.charCodeAt(h)]|=1<<h;for(var D=i,l=0;l<r;l++){var g=t[n.charCodeAt(l)],_=o[l/32|0]>>>l&1,v=a[l/32|0]>>>l&1,y=g|C,b=((g|v)&w)+w^w|g|v,x=C|~(b|w),S=w&b;D+=x>>>i-1&1,D-=S>>>i-1&1,x>>>31^_&&(o[l/32|0]^=1<<l),S>>>31^v&&(a[l/32|0]^=1<<l),x=x<<1|_,S=S<<1|v,w=S|~(y|x),C=x&y}for(var h=T;h<E;h++)t[e.charCodeAt(h)]=0;return D},i=function(e,t){if(e.length<t.length){var i=t;t=e,e=i}return t.length===0?e.length:e.length<=32?n(e,t):r(e,t)};e.distance=i,e.closest=function(e,t){for(var n=1/0,r=0,a=0;a<t.length;a++){var o=i(e,t[a]);o<n&&(n=o,r=a)}return t[r]}})))();const r={line:1,column:1};var i=class{file;found=[];seen=/* @__PURE__ */ new Set;constructor(e){this.file=e}error(e,t){this.add(`error`,e,t)}warning(e,t){this.add(`warning`,e,t)}suggest(e,t){return this.found.length>100?``:l(e,[...t].slice(0,1e3))}get hasErrors(){return this.found.some(e=>e.severity===`error`)}list(){let e=this.found.filter(e=>e.severity===`error`),t=this.found.filter(e=>e.severity===`warning`),n=[...e.sort(a),...t.sort(a)],r=n.slice(0,100).sort(a),i=r.at(-1);if(i!==void 0&&n.length>r.length){let t=e.length>r.length?`error`:`warning`;r.push({...i,severity:t,message:`and ${n.length-r.length} more problems in this file`})}return r}add(e,t,n){let r=`${t.line}:${t.column}:${n}`;this.seen.has(r)||(this.seen.add(r),this.found.push({severity:e,file:this.file,line:t.line,column:t.column,message:n}))}};function a(e,t){return e.line-t.line||e.column-t.column||(e.message<t.message?-1:1)}function o(e){return`${e.file}:${e.line}:${e.column}: ${e.severity}: ${e.message}`}function s(e){switch(typeof e){case`string`:{let t=e.length>60?`${e.slice(0,59)}\u2026`:e;return JSON.stringify(t).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,c)}case`number`:case`boolean`:case`bigint`:return String(e);case`undefined`:return`nothing`;case`object`:return e===null?`nothing`:Array.isArray(e)?e.length===0?`an empty list`:`a list`:`a mapping`;case`function`:case`symbol`:return typeof e}}function c(e){return`\\u${e.charCodeAt(0).toString(16).padStart(4,`0`)}`}function l(e,t){if(e.length>64)return``;let r=u(e),i=null,a=Math.max(e.length<2?0:e.length<4?1:2,Math.floor(e.length/3))+1;for(let e of t){let t=u(e),o=r.length===t.length&&d(r)===d(t)?Math.min(1,(0,n.distance)(r,t)):(0,n.distance)(r,t);o<a&&([i,a]=[e,o])}return i===null?``:`; did you mean ${JSON.stringify(i)}?`}function u(e){return e.toLowerCase().replaceAll(`-`,`_`)}function d(e){return[...e].sort().join(``)}function f(e,t,n,r=/* @__PURE__ */ new Map,i=Object.keys(e)){let a={};for(let[o,c]of Object.entries(t)){let t=[...n.path,o],u=Object.hasOwn(e,o)?e[o]:void 0;if(u===void 0){let e=r.get(o),a=`unknown key ${s(o)}${l(o,i)}`;n.problems.error(n.source.keyAt(t),e===void 0?a:`${o}: ${e} not built yet`)}else{let e=p(u,c,{...n,path:t},o);e!==void 0&&(a[o]=e)}}return a}function p(e,n,r,i){let a=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.b)(e,n);if(a.success)return a.data;for(let e of a.error.issues)m(e,n,r,i)}function m(e,t,n,r){let i=e.code===`invalid_union`?h(e.errors):null;if(i!==null){for(let a of i)m({...a,path:[...e.path,...a.path]},t,n,r);return}let a=e.path.map(e=>typeof e==`symbol`?String(e):e),o=[...n.path,...a],c=[r,...a].join(`.`);if(e.code===`unrecognized_keys`){let t=e.message.split(`
`);e.keys.forEach((e,r)=>{let i=n.source.keyAt([...o,e]);n.problems.error(i,`${c}: ${t[r]??`unknown key ${s(e)}`}`)})}else e.code===`invalid_key`?n.problems.error(n.source.keyAt(o),`${c}: ${e.issues[0]?.message??e.message}`):n.problems.error(n.source.at(o),`${c}: ${e.message}, got ${s(_(t,a))}`)}function h(e){return e.filter(e=>!e.some(g)).sort((e,t)=>e.length-t.length)[0]??null}function g(e){return e.path.length===0&&(e.code===`invalid_union`?e.errors.every(e=>e.some(g)):[`invalid_type`,`invalid_value`].includes(e.code))}function _(e,t){let n=e;for(let e of t)n=v(n)?n[e]:Array.isArray(n)?n[Number(e)]:void 0;return n}function v(e){return typeof e==`object`&&!!e&&!Array.isArray(e)}const y={d:864e5,h:36e5,m:6e4,s:1e3,ms:1},b=/^(?:[0-9]+(?:\.[0-9]+)?d)?(?:[0-9]+(?:\.[0-9]+)?h)?(?:[0-9]+(?:\.[0-9]+)?m)?(?:[0-9]+(?:\.[0-9]+)?s)?(?:[0-9]+(?:\.[0-9]+)?ms)?$/,x=/^[0-9]+(?:\.[0-9]+)?$/;function S(e){if(typeof e==`number`)return Number.isFinite(e)&&e>=0?Math.round(e*y.s):null;let t=e.length>64?``:e.trim();if(x.test(t))return Math.round(Number(t)*y.s);if(t===``||!b.test(t))return null;let n=0;for(let[,e,r]of t.matchAll(/(?<![0-9.])([0-9.]+)(ms|[dhms])/g))n+=Number(e)*w(r);return Math.round(n)}function C(e){let t=Math.round(e),n=``;for(let[e,r]of Object.entries(y)){let i=Math.floor(t/r);i>0&&(n+=`${i}${e}`,t-=i*r)}return n===``?`0s`:n}function w(e){switch(e){case`d`:case`h`:case`m`:case`s`:case`ms`:return y[e];default:return NaN}}

/***/ }),

/***/ 657:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   i: () => (/* binding */ a),
/* harmony export */   n: () => (/* binding */ n),
/* harmony export */   r: () => (/* binding */ i),
/* harmony export */   t: () => (/* binding */ r)
/* harmony export */ });
const e=String.raw`\p{Cc}\p{Cs}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF`,t=RegExp(`[${e}]`,`gu`),n=RegExp(`^[^${e}]+$`,`u`),r=`expected text on one line, without control characters and marks that reorder text`;function i(e){return e.replace(t,e=>`\\u${e.charCodeAt(0).toString(16).padStart(4,`0`)}`)}function a(e){return e.replace(t,``)}

/***/ }),

/***/ 254:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ n),
/* harmony export */   c: () => (/* binding */ o),
/* harmony export */   i: () => (/* binding */ c),
/* harmony export */   l: () => (/* binding */ s),
/* harmony export */   n: () => (/* binding */ l),
/* harmony export */   o: () => (/* binding */ t),
/* harmony export */   r: () => (/* binding */ u),
/* harmony export */   s: () => (/* binding */ r),
/* harmony export */   t: () => (/* binding */ d),
/* harmony export */   u: () => (/* binding */ a)
/* harmony export */ });
const e=`(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|${String.raw`\[[0-9A-Fa-f:][0-9A-Fa-f:.]{1,44}\]`})`,t=RegExp(`^${e}:[0-9]{1,5}$`),n=RegExp(`^${e}(?::[0-9]{1,5})?$`),r=`expected a host, or host:port, such as "node1:7761" or "[fd00::1]:7761"`,i=RegExp(`^(?<host>${e}|)(?::(?<port>[0-9]{1,5}))?$`);function a(e){let t=i.exec(e)?.groups,n=t?.port===void 0?null:Number(t.port);if(t===void 0||n!==null&&n>65535)throw Error(`${e} is no address; expected host:port`);return{host:o(e),port:n}}function o(e){return i.exec(e)?.groups?.host?.replace(/^\[(.*)\]$/,`$1`)||null}function s(e,t){let n=e.includes(`:`)?`[${e}]`:e;return t===null?n:`${n}:${t}`}const c=[`validation`,`prepare`,`execute`,`custom`,`cleanup`,`hybrid`,`quorum`],l=[`duration`,`tasks_done`,`script_exit`,`validation_passed`,`duration_or_tasks`],u=[`failure`,`timeout`],d=[`failed`,`skipped`];

/***/ }),

/***/ 345:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   n: () => (/* binding */ r),
/* harmony export */   t: () => (/* binding */ s)
/* harmony export */ });
/* harmony import */ var _duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(808);
const n=[`concurrency`,`max_failures`,`max_preemptions`,`needs`];function r(e,t,r,s){let{source:l,problems:u,path:d}=s,f=i(e)?{values:[...e]}:e;for(let e of n)t[e]!==void 0&&!r&&u.error(l.keyAt([...d,e]),`${e}: it says something of tasks, expected "tasks" beside it`),t[e]!==void 0&&f?.[e]!==void 0&&u.error(l.keyAt([...d,e]),`${e}: it stands in tasks, too, expected it once`);if(f===void 0)return null;let p={...t,...f},m=a(f,s),h=o(p.needs??{}),g=t.needs===void 0?[...d,`tasks`,`needs`]:[...d,`needs`];return c(m,h,{...s,path:g},[...d,`tasks`]),{source:m,concurrency:p.concurrency??1,maxFailures:p.max_failures??0,maxPreemptions:p.max_preemptions??100,needs:h}}function i(e){return Array.isArray(e)}function a(e,{source:t,problems:n,path:r}){let i=[`values`,`count`,`from`].filter(t=>e[t]!==void 0);if(i.length!==1){let e=i.length===0?`none of them`:i.join(` and `);n.error(t.at([...r,`tasks`]),`tasks: expected one of values, count and from, got ${e}`)}return e.from===void 0?e.count===void 0?{kind:`list`,values:e.values??[]}:{kind:`count`,count:e.count}:{kind:`from`,command:e.from}}function o(e){return Object.fromEntries(Object.entries(e).map(([e,t])=>[e,t.map(String)]))}function s(t,n){if(typeof t==`string`||typeof t==`number`||typeof t==`boolean`)return String(t);let r=(0,_duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_0__.i)(t)?t.id:void 0;return String(typeof r==`string`||typeof r==`number`?r:n)}function c(e,n,r,i){let{source:a,problems:o}=r;if(e.kind===`list`){let c=/* @__PURE__ */ new Set;for(let[n,r]of e.values.entries()){let e=s(r,n);if(c.has(e)){let r=a.textAt([...i,`values`,n])===null?[...i,n]:[...i,`values`,n];o.error(a.at(r),`tasks: two tasks have the key ${(0,_duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_0__.u)(e)}, expected distinct values or ids`)}c.add(e)}l(n,e=>c.has(e),e=>o.suggest(e,c),r)}else e.kind===`count`&&l(n,t=>/^(?:0|[1-9][0-9]{0,6})$/.test(t)&&Number(t)<e.count,()=>`, expected 0 to ${e.count-1}`,r);let c=u(n);c!==null&&o.error(a.at([...r.path,c[0]??``]),`needs: tasks need each other in a circle: ${c.slice(0,10).map(_duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_0__.u).join(` \u2192 `)}`)}function l(e,n,r,{source:i,problems:a,path:o}){for(let[s,c]of Object.entries(e)){n(s)||a.error(i.keyAt([...o,s]),`needs: there is no task ${(0,_duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_0__.u)(s)}${r(s)}`);for(let[e,l]of c.entries())n(l)||a.error(i.at([...o,s,e]),`needs: there is no task ${(0,_duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_0__.u)(l)}${r(l)}`)}}function u(e){let t=/* @__PURE__ */ new Set;for(let n of Object.keys(e)){let r=[],i=/* @__PURE__ */ new Set,a=[{key:n,leave:!1}];for(let n=a.pop();n!==void 0;n=a.pop())if(n.leave)r.pop(),i.delete(n.key),t.add(n.key);else if(i.has(n.key))return[...r.slice(r.indexOf(n.key)),n.key];else if(!t.has(n.key)){r.push(n.key),i.add(n.key),a.push({key:n.key,leave:!0});for(let t of Object.hasOwn(e,n.key)?e[n.key]??[]:[])a.push({key:t,leave:!1})}}return null}

/***/ })

};
