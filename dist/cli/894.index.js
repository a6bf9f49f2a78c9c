export const id = 894;
export const ids = [894];
export const modules = {

/***/ 894:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   adopt: () => (/* binding */ d)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(163);
/* harmony import */ var _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(306);
/* harmony import */ var _escape_B6u168_l_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(512);
/* harmony import */ var _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(493);
var c=(0,_node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__.h)();const l=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_2__.p)({adopted:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_2__.r)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_2__.f)()),known:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_2__.f)(),next:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_2__.g)().nullable()}),u=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_2__.p)({error:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_2__.g)()});async function d(e,t){if(!/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/u.test(e))throw new _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_3__.n(`${(0,_escape_B6u168_l_js__WEBPACK_IMPORTED_MODULE_4__.i)(e)}: expected a repository as OWNER/NAME`);let n=p(t.app),r=[process.env.GITHUB_TOKEN,process.env.GH_TOKEN].find(e=>e!==void 0&&e!==``);if(r===void 0)throw new _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_3__.n(`GITHUB_TOKEN: expected a token of somebody who may write to the repository`);let i=[],c=0;for(let o=null;;){let l=await m(n,r,{repository:e,after:o,dry_run:t.dryRun===!0});if(l.kind!==`page`)return process.stderr.write(`stagewright: ${(0,_escape_B6u168_l_js__WEBPACK_IMPORTED_MODULE_4__.i)(l.reason)}\n`),i.length>0&&process.stderr.write(`${i.length} were taken up before that.\n`),_exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_3__.t.failure;if(i.push(...l.page.adopted),c+=l.page.known,o=l.page.next,o===null)break;process.stderr.write(`${i.length+c} pull requests seen, ${i.length} of them new\n`)}let l=t.dryRun===!0?`would be taken up`:`taken up`;return process.stdout.write(t.json===!0?`${JSON.stringify({repository:e,dry_run:t.dryRun===!0,adopted:i,known:c})}\n`:`${e}: ${i.length} ${l}${f(i)}, ${c} already known\n`),_exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_3__.t.success}function f(e){let t=e.slice(0,20).map(e=>`#${e}`);return t.length===0?``:` (${t.join(`, `)}${e.length>t.length?`, \u2026`:``})`}function p(e){if(!URL.canParse(e))throw new _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_3__.n(`--app: expected the app's address, such as https://stagewright.example`);let t=new URL(e),n=[`localhost`,`127.0.0.1`,`[::1]`].includes(t.hostname);if(t.protocol!==`https:`&&!(t.protocol===`http:`&&n))throw new _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_3__.n(`--app: expected https: your token is sent there`);return new URL(`api/adopt`,t.href.endsWith(`/`)?t:`${t.href}/`)}async function m(e,t,n){for(let r=1;;r+=1){let i=await h(e,t,n);if(i.kind!==`later`||r===5)return i;let o=Math.min(i.seconds??2*2**(r-1),60);process.stderr.write(`${(0,_escape_B6u168_l_js__WEBPACK_IMPORTED_MODULE_4__.i)(i.reason)}; trying again in ${o} s\n`),await(0,c.setTimeout)(o*1e3)}}async function h(e,t,n){let r,i;try{r=await fetch(e,{method:`POST`,headers:{authorization:`Bearer ${t}`,"content-type":`application/json`},body:JSON.stringify(n),redirect:`error`,signal:AbortSignal.timeout(6e4)}),i=await r.json().catch(()=>null)}catch(t){let n=t instanceof Error&&t.cause instanceof Error?t.cause.message:String(t),r=`${e.origin} could not be reached: ${n}; is the app running, and is this its address?`;return n===`bad port`?{kind:`refused`,reason:r}:{kind:`later`,seconds:null,reason:r}}if(r.ok){let t=l.safeParse(i);return t.success?{kind:`page`,page:t.data}:{kind:`refused`,reason:`${e.origin} answered something else: is it the address of the app?`}}let a=u.safeParse(i),o=a.success?a.data.error:`${e.origin} answered ${r.status}`;if(r.status!==429&&r.status<500)return{kind:`refused`,reason:o};let s=Number(r.headers.get(`retry-after`)??NaN);return{kind:`later`,seconds:Number.isFinite(s)?s:null,reason:o}}

/***/ }),

/***/ 512:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   i: () => (/* binding */ i),
/* harmony export */   n: () => (/* binding */ c),
/* harmony export */   r: () => (/* binding */ o),
/* harmony export */   t: () => (/* binding */ a)
/* harmony export */ });
const e=/(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])\P{Cc}*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]/gu,t=/\r\n?|[\u2028\u2029\u0085\v\f]/gu,n=/(?![\n\t])\p{Cc}|[\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu;function r(r){return r.toWellFormed().replace(e,``).replace(t,`
`).replace(n,``)}function i(e){return r(e).replace(/\s+/gu,` `).trim()}function a(e,t){if(e.length<=t)return e;let n=t-1,r=e.charCodeAt(n-1);return n>0&&r>=55296&&r<=56319&&--n,`${e.slice(0,n)}\u2026`}function o(e){return i(e).replace(/[\\`*_[\]|~$]/gu,`\\$&`).replaceAll(`&`,`&amp;`).replaceAll(`<`,`&lt;`).replaceAll(`>`,`&gt;`).replace(/^(?:[-+#=:]|\d+(?=[.)]))/u,s).replace(/@(?=\S)/gu,`@\u200b`).replace(/#(?=\d)/gu,`#\u200b`).replace(/\b(GH)-(?=\d)/giu,`$1-\u200b`).replaceAll(`://`,`:\u200b//`).replace(/\bwww\./giu,`$&\u200b`)}function s(e){return/\d/u.test(e)?`${e}\u200b`:`\\${e}`}function c(e){let t=i(e);if(t===``)return``;let n="`".repeat(l(t)+1),r=t.startsWith("`")||t.endsWith("`")?` `:``;return`${n}${r}${t.replaceAll(`|`,`\\|`)}${r}${n}`}function l(e){let t=0;for(let n of e.matchAll(/`+/gu))t=Math.max(t,n[0].length);return t}

/***/ })

};
