export const id = 600;
export const ids = [600,55];
export const modules = {

/***/ 600:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   watchJobs: () => (/* binding */ i)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
/* harmony import */ var _node_zhJ0597b_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(947);
/* harmony import */ var _jobs_CrrXS2ql_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(55);
var n=(0,_node_zhJ0597b_js__WEBPACK_IMPORTED_MODULE_1__.p)();function r(e,{own:n,onlyJob:r,size:i}){let a=e.find(({id:e})=>e===n)?.name,o=a===void 0?null:(0,_jobs_CrrXS2ql_js__WEBPACK_IMPORTED_MODULE_2__/* .matrixStem */ .v)(a,r);if(o===null)return[];let s=e.filter(e=>e.name.startsWith(`${o} (`));return s.filter(({id:e,status:t})=>t===`completed`&&e!==n).slice(Math.max(0,s.length-i)).map(e=>({id:e.id,why:`the job ${e.name} is over (${e.conclusion??`no conclusion`})`}))}async function i(e,t){let{list:i,group:o,pace:s,isWaiting:c,found:l,say:u}=e;try{for(await(0,n.setTimeout)(s.firstMs,void 0,{signal:t});c();){if(a(await i(t).then(e=>{let t=r(e,o);return t.length>0&&c()&&l(t),null},e=>e))){u("jobs that end before they join are not seen (with `permissions: { actions: read }` they are)");return}await(0,n.setTimeout)(s.everyMs,void 0,{signal:t})}}catch(e){if(!t.aborted)throw e}}function a(e){let t=typeof e==`object`&&e&&`status`in e?e.status:null;return t===401||t===403||t===404}

/***/ }),

/***/ 55:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   GroupJobs: () => (/* binding */ n),
/* harmony export */   v: () => (/* binding */ a)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
/* harmony import */ var _admission_ODzY2Oxb_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(976);
/* harmony import */ var _index_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(535);
var n=class{#e;#t=/* @__PURE__ */ new Map;#n=null;constructor(e){this.#e=e}own(){let e=this.#n??this.#e.own();return this.#n=e,e.catch(()=>{this.#n=null}),e}async check(t,n){(0,_admission_ODzY2Oxb_js__WEBPACK_IMPORTED_MODULE_1__.n)(t,this.#e.key);let i=await this.own();r(t,i),this.#r(t,i),t.checkRunId!==null&&i.checkRunId!==null&&await this.#i(t.checkRunId,i.checkRunId,n)}#r({jobWorkflowRef:e},{jobWorkflowRef:n}){if(!(this.#e.onlyJob===null?i(e)===i(n):e===n))throw new _index_js__WEBPACK_IMPORTED_MODULE_2__.N(`wrong_run`,`the token is of a job that ${e??`no workflow file`} defines, this job is defined by ${n??`none`}: they are not of one group`)}async#i(e,n,r){let{onlyJob:i,nameOf:o}=this.#e;if(i===null||o===null)return;let s=a(await this.#a(n,o,r),i);if(s===null)return;let c=await this.#a(e,o,r);if(!c.startsWith(`${s} (`))throw new _index_js__WEBPACK_IMPORTED_MODULE_2__.N(`wrong_run`,`the token is of the job ${JSON.stringify(c.slice(0,200))}, which is not of the matrix ${JSON.stringify(s)}; jobs of several kinds meet when they name one \`group\``)}#a(e,t,n){let r=this.#t.get(e)??t(e,n);return this.#t.set(e,r),r.catch(()=>this.#t.delete(e)),r}};function r({checkRunId:e},{checkRunId:n}){if(n!==null||e!==null){if(e===null)throw new _index_js__WEBPACK_IMPORTED_MODULE_2__.N(`unauthorized`,`the token does not say which job it is of`);if(e===n)throw new _index_js__WEBPACK_IMPORTED_MODULE_2__.N(`held`,`the token is this very job's: one job is one agent`)}}function i(e){return e?.split(`/`).slice(0,2).join(`/`)??null}function a(e,t){let n=`${t} (`;if(!e.endsWith(`)`))return null;for(let r=e.lastIndexOf(n);r>=0;r=r===0?-1:e.lastIndexOf(n,r-1))if(r===0||e.slice(0,r).endsWith(` / `))return e.slice(0,r+t.length);return null}

/***/ })

};
