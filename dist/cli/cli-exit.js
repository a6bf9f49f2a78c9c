const e={success:0,failure:1,usage:2,interrupted:130,terminated:143};var t=class extends Error{lines;constructor(...e){super(e.join(`
`)),this.name=`UsageError`,this.lines=e}};export{t as n,e as t};