/** How the page looks. Colours are named once for each of light and dark. */
export const STYLE = `
:root{--bg:#fff;--fg:#1c2024;--muted:#5c6570;--line:#d9dee3;--soft:#f3f5f7;--success:#2a7f62;--warning:#b35c00;--failure:#c62f2f;--stopped:#6b7280;--wait:#c9d2dc;--c0:#2563c9;--c1:#c2570c;--c2:#7a3fb0;--c3:#0e7c86;--c4:#b02a63;--c5:#5d6b17}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e4e8ec;--muted:#9aa5b1;--line:#333b44;--soft:#1d2227;--success:#4fb58f;--warning:#e39a3b;--failure:#f0716b;--stopped:#8b95a1;--wait:#3b4651;--c0:#6ea3f7;--c1:#f0924a;--c2:#b78ae8;--c3:#49bac4;--c4:#ee7fae;--c5:#b3c257}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1200px;margin:0 auto;padding:16px}
h1{font-size:1.6rem;margin:.3em 0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:1.6em 0 .5em;padding-bottom:.2em;border-bottom:1px solid var(--line)}
h3{font-size:.95rem;margin:0 0 .4em;overflow-wrap:anywhere}
small,.note,.muted,footer,.ends,.legend{color:var(--muted);font-weight:400}
.note,.ends,.legend,footer,small{font-size:.85rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9em}
footer{margin:2.5em 0 1em}
.verdict{display:flex;flex-wrap:wrap;gap:.2em .8em;margin:.3em 0 0;font-weight:600}
.verdict span{font-weight:400;color:var(--fg);overflow-wrap:anywhere}
.success,.ok{color:var(--success)}.warning{color:var(--warning)}.failure,.bad{color:var(--failure)}.cancelled{color:var(--stopped)}
.skipped{color:var(--muted)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.28em .9em .28em 0;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}
thead th{color:var(--muted);font-weight:500;white-space:nowrap}
tbody th{font-weight:500;white-space:nowrap}
.runs tbody th{color:var(--muted);font-weight:400}
.stages td{white-space:nowrap}
.stages tbody th{white-space:normal;overflow-wrap:anywhere;min-width:7em}
ul{margin:.3em 0;padding-left:1.2em}
.failures{list-style:none;padding:0}.failures>li{margin:.5em 0;overflow-wrap:anywhere}
.badge{display:inline-block;min-width:1.5em;padding:0 .35em;margin-right:.4em;border-radius:.3em;background:var(--c);color:var(--bg);font-weight:600;font-size:.85rem;text-align:center}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}
.change{color:var(--muted);font-size:.85rem;white-space:nowrap}
.legend{display:flex;flex-wrap:wrap;gap:.2em 1em;margin:.2em 0 .8em}
.legend span{white-space:nowrap}
.key{display:inline-block;width:1.1em;height:.75em;border-radius:2px;margin-right:.4em;background:currentColor}
.key.stopped{color:var(--stopped)}.key.wait{color:var(--wait)}
.timeline{margin:0 0 1.2em}
.lane{display:grid;grid-template-columns:9.5em minmax(0,1fr);gap:.6em;align-items:center;min-height:18px}
.who{font-size:.8rem;color:var(--muted);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.track{position:relative;height:16px}
.lane:not(.scale):not(.stages) .track{background:var(--soft)}
.bar{position:absolute;top:2px;bottom:2px;border-radius:2px;background:currentColor;box-shadow:inset -1px 0 0 var(--bg)}
.bar.failure{top:0;bottom:0;min-width:4px;z-index:1}
.bar.stopped{color:var(--stopped)}
.bar.wait{color:var(--wait);top:6px;bottom:6px;border-radius:0;box-shadow:none}
.stages .track b{position:absolute;top:0;bottom:0;font-size:.75rem;line-height:16px;font-weight:500;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;border-left:1px solid var(--line);padding-left:3px}
.tick{position:absolute;top:0;font-size:.72rem;color:var(--muted);border-left:1px solid var(--line);padding-left:3px;white-space:nowrap}
.tick.end{transform:translateX(-100%);border-left:0;border-right:1px solid var(--line);padding:0 3px 0 0}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:12px}
article{border:1px solid var(--line);border-radius:6px;padding:10px 12px;min-width:0}
.figure{margin-top:.3em}.figure strong{font-size:1.05rem;font-variant-numeric:tabular-nums}
.strip{position:relative;height:14px;margin:.5em 5px 0;border-bottom:1px solid var(--line)}
.dot{position:absolute;bottom:-5px;width:9px;height:9px;margin-left:-4.5px;border-radius:50%;background:var(--c);opacity:.65}
.ends{display:flex;justify-content:space-between;gap:1em;margin:.5em 0 .2em;font-size:.78rem}
.ends span{white-space:nowrap;overflow:hidden;text-overflow:ellipsis;min-width:0}
.bins{display:flex;align-items:flex-end;gap:1px;height:72px;border-bottom:1px solid var(--line);margin-top:.3em}
.bins i{flex:1;background:var(--c);min-width:0}
.histogram td,.histogram th{padding-right:.7em;font-size:.82rem}
.decision{margin:.2em 0}
.shares{display:flex;gap:1px;height:18px;margin:.3em 0 .5em}
.shares i{min-width:2px;border-radius:2px;background:currentColor;overflow:hidden}
.shares span{display:block;padding:0 5px;font-size:.72rem;font-style:normal;font-weight:600;line-height:18px;color:var(--bg);white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.decisions th,.decisions td{white-space:nowrap}
.decisions tbody th,.decisions td:has(small){white-space:normal;overflow-wrap:anywhere;min-width:9em}
.decisions tbody th{max-width:48em}
.when{white-space:normal}
article table{font-size:.85rem}
details+details,details+p,p+details{margin-top:.5em}
details summary{cursor:pointer;color:var(--muted)}
@media (max-width:560px){main{padding:12px}.lane{grid-template-columns:5.5em minmax(0,1fr)}}
`;
