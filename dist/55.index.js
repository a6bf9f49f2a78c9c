export const id = 55;
export const ids = [55];
export const modules = {

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
