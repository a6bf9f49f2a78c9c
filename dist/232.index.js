export const id = 232;
export const ids = [232];
export const modules = {

/***/ 232:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   histogramMerger: () => (/* binding */ t)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(989);
async function t(){let t=await __webpack_require__.e(/* import() */ 352).then(__webpack_require__.bind(__webpack_require__, 352)).then(t=>/* @__PURE__ */ (0,_rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__.o)(t.default,1));return e=>{let n=t.build({bitBucketSize:64,lowestDiscernibleValue:1,highestTrackableValue:2,numberOfSignificantValueDigits:3});n.autoResize=!0;let r=[];for(let[i,a]of e.entries())try{n.add(t.decodeFromCompressedBase64(a,64))}catch(e){let t=e instanceof Error?e.message:String(e);r.push({part:i,why:t.slice(0,200)})}return{encoded:r.length===e.length?null:t.encodeIntoCompressedBase64(n),unreadable:r}}}

/***/ })

};
