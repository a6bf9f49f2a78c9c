export const id = 101;
export const ids = [101];
export const modules = {

/***/ 860:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ a),
/* harmony export */   i: () => (/* binding */ o),
/* harmony export */   n: () => (/* binding */ s),
/* harmony export */   r: () => (/* binding */ c),
/* harmony export */   t: () => (/* binding */ n)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(163);
var t=(0,_node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__.u)(),n=class extends Error{name=`ProxyError`};let r=null,i=()=>void 0;async function a(e){let t=t=>(e[t.toLowerCase()]||e[t]||``).trim(),[a,o]=[h(`HTTPS_PROXY`,t(`HTTPS_PROXY`)),h(`HTTP_PROXY`,t(`HTTP_PROXY`))];if(i(),i=()=>void 0,r=null,a===null&&o===null)return null;let{setGlobalProxyFromEnv:s}=await Promise.resolve(/* import() */).then(__webpack_require__.t.bind(__webpack_require__, 67, 19));if(typeof s!=`function`)throw new n(`HTTPS_PROXY and HTTP_PROXY need Node 24.14 or later, this is ${process.versions.node}`);let c=t(`NO_PROXY`).split(/[\s,]+/).filter(e=>e!==``);return r={byProtocol:{"http:":o,"https:":a},excepted:m(c)},i=s({...a===null?{}:{HTTPS_PROXY:a.href},...o===null?{}:{HTTP_PROXY:o.href},NO_PROXY:[...u,...c.flatMap(e=>/^[*.]|^[\d.:[\]/]+$/.test(e)?e:[e,`.${e}`])].join(`,`)}),`connections go through a proxy: ${[a===null?[]:`https by ${g(a)}`,o===null?[]:`http by ${g(o)}`].flat().join(`, `)}${c.length>0?`; not to ${c.join(`, `)}`:``}`}function o(e){let t=l(e);return t===null?null:g(t)}function s(e){let t=l(e);return t===null?{}:{proxyEnv:{HTTP_PROXY:t.href,HTTPS_PROXY:t.href}}}function c(e,t){let{cause:n}=e instanceof Error?e:{cause:void 0},r=n instanceof Error&&n.message!==``?n:e,i=r instanceof Error&&r.message||String(r),a=o(t);return a===null?i:`${i} (through the proxy ${a}; NO_PROXY names the hosts that are reached without it)`}function l({protocol:e,hostname:t,port:n}){if(r===null||e!==`http:`&&e!==`https:`)return null;let i=r.byProtocol[e],a=t.replace(/^\[(.*)\]$/,`$1`).toLowerCase();return i===null||f(a)||r.excepted(a,n||(e===`https:`?`443`:`80`))?null:i}const u=[`localhost`,`127.0.0.1`,`::1`],d=new t.BlockList;d.addSubnet(`127.0.0.0`,8),d.addAddress(`::1`,`ipv6`);function f(e){return e===`localhost`||e.endsWith(`.localhost`)||p(d,e)}function p(e,n){let r=(0,t.isIP)(n);return r!==0&&e.check(n,r===6?`ipv6`:`ipv4`)}function m(e){let n=new t.BlockList,r=[];for(let i of e){let[,e=``,a=``]=/^([\da-fA-F.:]+)\/(\d{1,3})$/.exec(i)??[],o=(0,t.isIP)(e);if(o!==0&&Number(a)<=(o===4?32:128)){n.addSubnet(e,Number(a),o===6?`ipv6`:`ipv4`);continue}let[,s=i,c=null]=(0,t.isIP)(i)===6?[]:/^(.*?)(?::(\d{1,5}))?$/.exec(i)??[];r.push({name:s.replace(/^\[(.*)\]$/,`$1`).replace(/^\*?\./,``).toLowerCase(),port:c??null})}return(e,i)=>p(n,e)||r.some(({name:n,port:r})=>(r===null||r===i)&&(n===`*`||e===n||(0,t.isIP)(e)===0&&e.endsWith(`.${n}`)))}function h(e,t){if(t===``)return null;let r=t.includes(`://`)?t:`http://${t}`,i=URL.canParse(r)?new URL(r):null;if(i===null||i.hostname===``)throw new n(`${e}: expected a proxy such as http://proxy:3128`);if(i.protocol!==`http:`&&i.protocol!==`https:`)throw new n(`${e}: a proxy by ${i.protocol}// cannot be used, expected one such as http://proxy:3128`);return i}function g({protocol:e,host:t}){return`${e}//${t}`}

/***/ }),

/***/ 101:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   ProxyError: () => (/* reexport safe */ _proxy_B41nL1PX_js__WEBPACK_IMPORTED_MODULE_0__.t),
/* harmony export */   useProxies: () => (/* reexport safe */ _proxy_B41nL1PX_js__WEBPACK_IMPORTED_MODULE_0__.a)
/* harmony export */ });
/* harmony import */ var _proxy_B41nL1PX_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(860);


/***/ })

};
