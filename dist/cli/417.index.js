export const id = 417;
export const ids = [417];
export const modules = {

/***/ 417:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   emit: () => (/* binding */ i)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(163);
/* harmony import */ var _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(493);
var n=(0,_node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__.v)();const r=262144;function i(e,i){if(e.includes(`--help`)||e.includes(`-h`))return process.stdout.write(`Usage: stagewright emit key=value [key=value \u2026]

Tells outputs of the running stage. A value that is JSON is taken as JSON (rows=3 is a number, 'rows="3"' is a text),
everything else as text. Outputs are bounded to 256 KiB an attempt.
Works only in a command of a plan, which finds the events file in STAGEWRIGHT_EVENTS.
`),_exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_2__.t.success;let s=[];for(let t of e){let e=t.indexOf(`=`),n=t.slice(0,Math.max(0,e));if(e<1||n.length>200)return o(`"${t.slice(0,80)}" is not key=value (keys: 1 to 200 characters)`);s.push([n,a(t.slice(e+1))])}if(s.length===0)return o(`nothing to emit, expected key=value`);let c=i.STAGEWRIGHT_EVENTS;if(c===void 0||c===``)return o(`STAGEWRIGHT_EVENTS is not set: this works only in a command that a plan runs`);let l=`{"output":{${s.map(([e,t])=>`${JSON.stringify(e)}:${JSON.stringify(t)}`).join(`,`)}}}\n`;if(l.length>r)return o(`one line of outputs may have ${r/1024} KiB, this has ${l.length} characters`);try{(0,n.appendFileSync)(c,l)}catch(e){return o(`could not write to ${c}: ${e instanceof Error?e.message:String(e)}`)}return _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_2__.t.success}function a(e){try{let t=JSON.parse(e);return typeof t==`number`&&String(t)!==e?e:t}catch{return e}}function o(e){return process.stderr.write(`stagewright emit: ${e}\n`),_exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_2__.t.usage}

/***/ }),

/***/ 493:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   n: () => (/* binding */ t),
/* harmony export */   t: () => (/* binding */ e)
/* harmony export */ });
const e={success:0,failure:1,usage:2,interrupted:130,terminated:143};var t=class extends Error{lines;constructor(...e){super(e.join(`
`)),this.name=`UsageError`,this.lines=e}};

/***/ })

};
