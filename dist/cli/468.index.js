export const id = 468;
export const ids = [468];
export const modules = {

/***/ 468:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   requestFailure: () => (/* reexport safe */ _request_failure_kvcs8LGU_js__WEBPACK_IMPORTED_MODULE_0__.t)
/* harmony export */ });
/* harmony import */ var _request_failure_kvcs8LGU_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(583);


/***/ }),

/***/ 583:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   t: () => (/* binding */ c)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(306);
const o=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__._)([(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)(),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)()]).transform(String),s=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({status:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)().optional().catch(void 0),message:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)().catch(`no message`),response:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({headers:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({"retry-after":o.optional().catch(void 0),"x-ratelimit-remaining":o.optional().catch(void 0),"x-ratelimit-reset":o.optional().catch(void 0)}).catch({})}).optional().catch(void 0)});function c(t,n){if(t instanceof _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.x)return{kind:`temporary`,status:null,message:`GitHub's answer is not what was expected: ${(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.C)(t)}`,retryAfterMs:null};let r=s.safeParse(t);if(!r.success)return{kind:`temporary`,status:null,message:String(t),retryAfterMs:null};let{message:i,response:o}=r.data,c=o===void 0&&r.data.status===500?null:r.data.status??null,f=o?.headers??{},p=f[`x-ratelimit-remaining`]===`0`,m=u(l(f[`retry-after`])??(p?d(f[`x-ratelimit-reset`],n):null)),h=e=>({kind:e,status:c,message:i,retryAfterMs:m});return c===null||c>=500||c===408?h(`temporary`):c===429||c===403&&(m!==null||p||/rate limit/iu.test(i))?h(`rate_limit`):h(c===401||c===403||c===404?`permission`:`rejected`)}function l(e){let t=Number(e??NaN);return Number.isFinite(t)&&t>=0?t*1e3:null}function u(e){return e===null?null:Math.min(e,36e5)}function d(e,t){let n=l(e);return n===null?null:Math.max(0,n-t)}

/***/ })

};
