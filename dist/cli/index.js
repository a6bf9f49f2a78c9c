#!/usr/bin/env node
import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 67:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:http");

/***/ }),

/***/ 995:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:module");

/***/ }),

/***/ 445:
/***/ ((__webpack_module__, __unused_webpack___webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.a(__webpack_module__, async (__webpack_handle_async_dependencies__, __webpack_async_result__) => { try {
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(941);
/* harmony import */ var _node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(163);
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(995);
var i=(0,_node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__.v)(),a=(0,_node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__._)(),o=(0,_node_C_HvQeGd_js__WEBPACK_IMPORTED_MODULE_1__.g)();function s(e){if(node_module__WEBPACK_IMPORTED_MODULE_2__.enableCompileCache!==void 0)try{let t=e.XDG_CACHE_HOME?.startsWith(`/`)?e.XDG_CACHE_HOME:(0,o.join)((0,a.homedir)(),`.cache`),n=(0,o.join)(t,`stagewright`,`compiled`);(0,i.mkdirSync)(n,{recursive:!0,mode:448});let{uid:s,mode:c}=(0,i.statSync)(n),l=!!(c&18);s===process.getuid?.()&&!l&&node_module__WEBPACK_IMPORTED_MODULE_2__.enableCompileCache(n)}catch{}}if(Number(process.versions.node.split(`.`)[0])<24)process.stderr.write(`stagewright needs Node 24 or later, this is ${process.versions.node}: npx node@24 ${process.argv[1]} \u2026\n`),process.exitCode=2;else{process.stderr.on(`error`,()=>void 0);let e=!1;process.stdout.on(`error`,t=>{t.code===`EPIPE`||t.code===`EIO`||e||(e=!0,process.stderr.write(`stagewright: stdout could not be written: ${t.message}\n`),process.exitCode||=1)}),s(process.env);let t=process.argv.slice(2);if(t[0]===`emit`){let{emit:n}=await __nccwpck_require__.e(/* import() */ 417).then(__nccwpck_require__.bind(__nccwpck_require__, 417));process.exitCode=n(t.slice(1),process.env)||Number(e)}else if(t.length===1&&(t[0]===`--version`||t[0]===`-V`)){let{VERSION:e}=await __nccwpck_require__.e(/* import() */ 368).then(__nccwpck_require__.bind(__nccwpck_require__, 368));process.stdout.write(`${e}\n`)}else{let{ProxyError:t,useProxies:n}=await __nccwpck_require__.e(/* import() */ 101).then(__nccwpck_require__.bind(__nccwpck_require__, 101));try{await n(process.env);let{main:t}=await __nccwpck_require__.e(/* import() */ 853).then(__nccwpck_require__.bind(__nccwpck_require__, 853));process.exitCode=await t(process.argv)||Number(e)}catch(e){if(!(e instanceof t))throw e;process.stderr.write(`stagewright: ${e.message}\n`),process.exitCode=2}}}
__webpack_async_result__();
} catch(e) { __webpack_async_result__(e); } }, 1);

/***/ }),

/***/ 163:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   _: () => (/* binding */ n),
/* harmony export */   a: () => (/* binding */ m),
/* harmony export */   c: () => (/* binding */ d),
/* harmony export */   d: () => (/* binding */ c),
/* harmony export */   f: () => (/* binding */ s),
/* harmony export */   g: () => (/* binding */ r),
/* harmony export */   h: () => (/* binding */ i),
/* harmony export */   i: () => (/* binding */ h),
/* harmony export */   l: () => (/* binding */ u),
/* harmony export */   m: () => (/* binding */ a),
/* harmony export */   n: () => (/* binding */ _),
/* harmony export */   o: () => (/* binding */ p),
/* harmony export */   p: () => (/* binding */ o),
/* harmony export */   r: () => (/* binding */ g),
/* harmony export */   s: () => (/* binding */ f),
/* harmony export */   t: () => (/* binding */ v),
/* harmony export */   u: () => (/* binding */ l),
/* harmony export */   v: () => (/* binding */ t)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(941);
var t=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:fs`)[t]})})),n=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:os`)[t]})})),r=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:path`)[t]})})),i=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:timers/promises`)[t]})})),a=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:fs/promises`)[t]})})),o=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:string_decoder`)[t]})})),s=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:child_process`)[t]})})),c=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:zlib`)[t]})})),l=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:net`)[t]})})),u=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:crypto`)[t]})})),d=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:http`)[t]})})),f=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:https`)[t]})})),p=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:util`)[t]})})),m=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:events`)[t]})})),h=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:readline`)[t]})})),g=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:diagnostics_channel`)[t]})})),_=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:tls`)[t]})})),v=/* @__PURE__ */ (0,_rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__.t)(((e,t)=>{t.exports=new Proxy({},{get:(e,t)=>process.getBuiltinModule(`node:readline/promises`)[t]})}));

/***/ }),

/***/ 941:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   i: () => (/* binding */ u),
/* harmony export */   n: () => (/* binding */ c),
/* harmony export */   r: () => (/* binding */ d),
/* harmony export */   t: () => (/* binding */ s)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(995);
var t=Object.create,n=Object.defineProperty,r=Object.getOwnPropertyDescriptor,i=Object.getOwnPropertyNames,a=Object.getPrototypeOf,o=Object.prototype.hasOwnProperty,s=(e,t)=>()=>(t||(e((t={exports:{}}).exports,t,t.exports),e=null),t.exports),c=(e,t)=>{let r={};for(var i in e)n(r,i,{get:e[i],enumerable:!0});return t||n(r,Symbol.toStringTag,{value:`Module`}),r},l=(e,t,a,s)=>{if(t&&typeof t==`object`||typeof t==`function`)for(var c=i(t),l=0,u=c.length,d;l<u;l++)d=c[l],!o.call(e,d)&&d!==a&&n(e,d,{get:(e=>t[e]).bind(null,d),enumerable:!(s=r(t,d))||s.enumerable});return e},u=(e,r,i)=>(i=e==null?{}:t(a(e)),l(r||!e||!e.__esModule||!o.call(e,`default`)?n(i,`default`,{value:e,enumerable:!0}):i,e)),d=/* @__PURE__ */ (0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);

/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/******/ // expose the modules object (__webpack_modules__)
/******/ __nccwpck_require__.m = __webpack_modules__;
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/async module */
/******/ (() => {
/******/ 	var webpackQueues = typeof Symbol === "function" ? Symbol("webpack queues") : "__webpack_queues__";
/******/ 	var webpackExports = typeof Symbol === "function" ? Symbol("webpack exports") : "__webpack_exports__";
/******/ 	var webpackError = typeof Symbol === "function" ? Symbol("webpack error") : "__webpack_error__";
/******/ 	var resolveQueue = (queue) => {
/******/ 		if(queue && queue.d < 1) {
/******/ 			queue.d = 1;
/******/ 			queue.forEach((fn) => (fn.r--));
/******/ 			queue.forEach((fn) => (fn.r-- ? fn.r++ : fn()));
/******/ 		}
/******/ 	}
/******/ 	var wrapDeps = (deps) => (deps.map((dep) => {
/******/ 		if(dep !== null && typeof dep === "object") {
/******/ 			if(dep[webpackQueues]) return dep;
/******/ 			if(dep.then) {
/******/ 				var queue = [];
/******/ 				queue.d = 0;
/******/ 				dep.then((r) => {
/******/ 					obj[webpackExports] = r;
/******/ 					resolveQueue(queue);
/******/ 				}, (e) => {
/******/ 					obj[webpackError] = e;
/******/ 					resolveQueue(queue);
/******/ 				});
/******/ 				var obj = {};
/******/ 				obj[webpackQueues] = (fn) => (fn(queue));
/******/ 				return obj;
/******/ 			}
/******/ 		}
/******/ 		var ret = {};
/******/ 		ret[webpackQueues] = x => {};
/******/ 		ret[webpackExports] = dep;
/******/ 		return ret;
/******/ 	}));
/******/ 	__nccwpck_require__.a = (module, body, hasAwait) => {
/******/ 		var queue;
/******/ 		hasAwait && ((queue = []).d = -1);
/******/ 		var depQueues = new Set();
/******/ 		var exports = module.exports;
/******/ 		var currentDeps;
/******/ 		var outerResolve;
/******/ 		var reject;
/******/ 		var promise = new Promise((resolve, rej) => {
/******/ 			reject = rej;
/******/ 			outerResolve = resolve;
/******/ 		});
/******/ 		promise[webpackExports] = exports;
/******/ 		promise[webpackQueues] = (fn) => (queue && fn(queue), depQueues.forEach(fn), promise["catch"](x => {}));
/******/ 		module.exports = promise;
/******/ 		body((deps) => {
/******/ 			currentDeps = wrapDeps(deps);
/******/ 			var fn;
/******/ 			var getResult = () => (currentDeps.map((d) => {
/******/ 				if(d[webpackError]) throw d[webpackError];
/******/ 				return d[webpackExports];
/******/ 			}))
/******/ 			var promise = new Promise((resolve) => {
/******/ 				fn = () => (resolve(getResult));
/******/ 				fn.r = 0;
/******/ 				var fnQueue = (q) => (q !== queue && !depQueues.has(q) && (depQueues.add(q), q && !q.d && (fn.r++, q.push(fn))));
/******/ 				currentDeps.map((dep) => (dep[webpackQueues](fnQueue)));
/******/ 			});
/******/ 			return fn.r ? promise : getResult();
/******/ 		}, (err) => ((err ? reject(promise[webpackError] = err) : outerResolve(exports)), resolveQueue(queue)));
/******/ 		queue && queue.d < 0 && (queue.d = 0);
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/create fake namespace object */
/******/ (() => {
/******/ 	var getProto = Object.getPrototypeOf ? (obj) => (Object.getPrototypeOf(obj)) : (obj) => (obj.__proto__);
/******/ 	var leafPrototypes;
/******/ 	// create a fake namespace object
/******/ 	// mode & 1: value is a module id, require it
/******/ 	// mode & 2: merge all properties of value into the ns
/******/ 	// mode & 4: return value when already ns object
/******/ 	// mode & 16: return value when it's Promise-like
/******/ 	// mode & 8|1: behave like require
/******/ 	__nccwpck_require__.t = function(value, mode) {
/******/ 		if(mode & 1) value = this(value);
/******/ 		if(mode & 8) return value;
/******/ 		if(typeof value === 'object' && value) {
/******/ 			if((mode & 4) && value.__esModule) return value;
/******/ 			if((mode & 16) && typeof value.then === 'function') return value;
/******/ 		}
/******/ 		var ns = Object.create(null);
/******/ 		__nccwpck_require__.r(ns);
/******/ 		var def = {};
/******/ 		leafPrototypes = leafPrototypes || [null, getProto({}), getProto([]), getProto(getProto)];
/******/ 		for(var current = mode & 2 && value; typeof current == 'object' && !~leafPrototypes.indexOf(current); current = getProto(current)) {
/******/ 			Object.getOwnPropertyNames(current).forEach((key) => (def[key] = () => (value[key])));
/******/ 		}
/******/ 		def['default'] = () => (value);
/******/ 		__nccwpck_require__.d(ns, def);
/******/ 		return ns;
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/ensure chunk */
/******/ (() => {
/******/ 	__nccwpck_require__.f = {};
/******/ 	// This file contains only the entry chunk.
/******/ 	// The chunk loading function for additional chunks
/******/ 	__nccwpck_require__.e = (chunkId) => {
/******/ 		return Promise.all(Object.keys(__nccwpck_require__.f).reduce((promises, key) => {
/******/ 			__nccwpck_require__.f[key](chunkId, promises);
/******/ 			return promises;
/******/ 		}, []));
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/get javascript chunk filename */
/******/ (() => {
/******/ 	// This function allow to reference async chunks
/******/ 	__nccwpck_require__.u = (chunkId) => {
/******/ 		// return url for filenames based on template
/******/ 		return "" + chunkId + ".index.js";
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/******/ /* webpack/runtime/make namespace object */
/******/ (() => {
/******/ 	// define __esModule on exports
/******/ 	__nccwpck_require__.r = (exports) => {
/******/ 		if(typeof Symbol !== 'undefined' && Symbol.toStringTag) {
/******/ 			Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
/******/ 		}
/******/ 		Object.defineProperty(exports, '__esModule', { value: true });
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/import chunk loading */
/******/ (() => {
/******/ 	// no baseURI
/******/ 	
/******/ 	// object to store loaded and loading chunks
/******/ 	// undefined = chunk not loaded, null = chunk preloaded/prefetched
/******/ 	// [resolve, Promise] = chunk loading, 0 = chunk loaded
/******/ 	var installedChunks = {
/******/ 		792: 0
/******/ 	};
/******/ 	
/******/ 	var installChunk = (data) => {
/******/ 		var {ids, modules, runtime} = data;
/******/ 		// add "modules" to the modules object,
/******/ 		// then flag all "ids" as loaded and fire callback
/******/ 		var moduleId, chunkId, i = 0;
/******/ 		for(moduleId in modules) {
/******/ 			if(__nccwpck_require__.o(modules, moduleId)) {
/******/ 				__nccwpck_require__.m[moduleId] = modules[moduleId];
/******/ 			}
/******/ 		}
/******/ 		if(runtime) runtime(__nccwpck_require__);
/******/ 		for(;i < ids.length; i++) {
/******/ 			chunkId = ids[i];
/******/ 			if(__nccwpck_require__.o(installedChunks, chunkId) && installedChunks[chunkId]) {
/******/ 				installedChunks[chunkId][0]();
/******/ 			}
/******/ 			installedChunks[ids[i]] = 0;
/******/ 		}
/******/ 	
/******/ 	}
/******/ 	
/******/ 	__nccwpck_require__.f.j = (chunkId, promises) => {
/******/ 			// import() chunk loading for javascript
/******/ 			var installedChunkData = __nccwpck_require__.o(installedChunks, chunkId) ? installedChunks[chunkId] : undefined;
/******/ 			if(installedChunkData !== 0) { // 0 means "already installed".
/******/ 	
/******/ 				// a Promise means "currently loading".
/******/ 				if(installedChunkData) {
/******/ 					promises.push(installedChunkData[1]);
/******/ 				} else {
/******/ 					if(true) { // all chunks have JS
/******/ 						// setup Promise in chunk cache
/******/ 						var promise = import("./" + __nccwpck_require__.u(chunkId)).then(installChunk, (e) => {
/******/ 							if(installedChunks[chunkId] !== 0) installedChunks[chunkId] = undefined;
/******/ 							throw e;
/******/ 						});
/******/ 						var promise = Promise.race([promise, new Promise((resolve) => (installedChunkData = installedChunks[chunkId] = [resolve]))])
/******/ 						promises.push(installedChunkData[1] = promise);
/******/ 					}
/******/ 				}
/******/ 			}
/******/ 	};
/******/ 	
/******/ 	// no prefetching
/******/ 	
/******/ 	// no preloaded
/******/ 	
/******/ 	// no external install chunk
/******/ 	
/******/ 	// no on chunks loaded
/******/ })();
/******/ 
/************************************************************************/
/******/ 
/******/ // startup
/******/ // Load entry module and return exports
/******/ // This entry module used 'module' so it can't be inlined
/******/ var __webpack_exports__ = __nccwpck_require__(445);
/******/ __webpack_exports__ = await __webpack_exports__;
/******/ 
