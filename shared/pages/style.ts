/** The one style sheet of every page: legal paper in daylight, in the dark, and in black on A4 or Letter. */

const LIGHT = `--paper:#F5F6F5;--surface:#FFFFFF;--sunken:#ECEEED;--line:#D9DDDB;--edge:#7D8582;--ink:#171B1F;--ink-2:#434A50;
--ink-3:#5A6268;--accent:#1D4677;--tint:#E5EDF6;--done:#1B6343;--warn:#7A4A00;--danger:#9A1D1D;`

const DARK = `--paper:#14181B;--surface:#1B2024;--sunken:#101316;--line:#323A40;--edge:#7E8991;--ink:#ECEFF1;--ink-2:#BBC3C9;
--ink-3:#9BA5AC;--accent:#A6C6EE;--tint:#22334A;--done:#8FD0AC;--warn:#E8BA6F;--danger:#F4A39B;`

const BLACK = `--paper:#FFF;--surface:#FFF;--sunken:#FFF;--line:#000;--edge:#000;--ink:#000;--ink-2:#000;--ink-3:#000;
--accent:#000;--tint:#FFF;--done:#000;--warn:#000;--danger:#000;`

export const STYLE = `
:root{color-scheme:light dark;${LIGHT}
--serif:'Source Serif 4 Variable','Source Serif 4','Source Serif Pro','Noto Serif',Georgia,'Times New Roman',serif;
--mono:'IBM Plex Mono','DejaVu Sans Mono',Menlo,Consolas,monospace;
--body:16px/25px;--small:14px/20px;--title:36px/44px;--lead:20px/30px;--h2:20px/28px;--rule:2px;--hair:1px;--gap:40px}
@media screen and (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:var(--body) var(--serif);font-optical-sizing:auto;
font-variant-numeric:lining-nums tabular-nums;overflow-wrap:break-word}
main{position:relative;isolation:isolate;max-width:880px;margin:32px auto 48px;padding:56px 64px 48px;background:var(--surface);border:var(--hair) solid var(--line)}
.mast{display:flex;justify-content:space-between;align-items:baseline;gap:24px;padding-bottom:16px;border-bottom:var(--rule) solid var(--ink)}
.mast b{font-size:1.4em;letter-spacing:-.01em}
.mast span{color:var(--ink-2);text-align:right}
h1{font:600 var(--title) var(--serif);letter-spacing:-.015em;margin:32px 0 8px;text-wrap:balance}
.lead{font:var(--lead) var(--serif);margin:0 0 24px;max-width:66ch;text-wrap:pretty}
h2{font:600 var(--h2) var(--serif);margin:var(--gap) 0 8px}
h3{font:600 var(--body) var(--serif);margin:24px 0 4px}
p{margin:0 0 12px;max-width:72ch;text-wrap:pretty}
.aside{color:var(--ink-2);font:var(--small) var(--serif)}
table+.aside,ul+.aside,ol+.aside,.scroll+.aside{margin-top:14px}
h2 .aside{margin-left:10px;font-weight:400}
code,.mono{font-family:var(--mono);font-size:.9em;overflow-wrap:anywhere}
.pair{overflow-wrap:normal;white-space:nowrap}
a{color:var(--accent)}
table{width:100%;border-collapse:collapse;font:var(--small) var(--serif);font-size:15px}
th,td{text-align:left;vertical-align:top;padding:6px 16px 6px 0;border-bottom:var(--hair) solid var(--line);font-weight:400}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--ink-2);border-bottom-color:var(--ink)}
td.n,th.n{white-space:nowrap;color:var(--ink-2);padding-right:12px}
td{overflow-wrap:anywhere}td.n,td.t,.t{white-space:nowrap;overflow-wrap:normal}td.holder{min-width:6.5em}
td small{display:block;font:inherit;color:var(--ink-2)}
.facts{border-top:var(--hair) solid var(--ink)}
.facts>tbody>tr>td,.facts>tbody>tr>th{font:var(--body) var(--serif)}
.facts>tbody>tr>th{width:160px;font-weight:600;padding-right:24px}
td>table{margin-top:-6px}td>table tr:last-child>td{border-bottom:0}
.side .facts>tbody>tr>*{font:var(--small) var(--serif);font-size:15px}.side .facts>tbody>tr>th{width:112px;font-weight:600}
.scroll{overflow-x:auto}
.nested{margin:0;padding-left:20px}ul.nested{padding:0;list-style:none}ol.nested>li{padding:0 0 8px 4px}
.three{display:grid;grid-template-columns:repeat(3,1fr);gap:32px;margin-top:28px}
.three>div,.signed li{min-width:0;overflow-wrap:anywhere}
.three h3{margin-top:0}
.three ul{margin:0;padding:0;list-style:none;font:var(--small) var(--serif);font-size:15px}
.three li{margin-bottom:6px}
.signed{display:grid;grid-template-columns:repeat(4,1fr);gap:0 20px;padding:0;margin:0;list-style:none}
.signed li{border-top:var(--hair) solid var(--ink);margin-top:52px;padding-top:8px;font:var(--small) var(--serif);break-inside:avoid}
.signed b{display:block;font-size:15px}
.signed.row-3{grid-template-columns:repeat(3,1fr)}.signed.row-5{grid-template-columns:repeat(5,1fr)}
.objection{border:var(--rule) solid var(--ink);padding:12px 16px;margin:0 0 24px;break-inside:avoid}
.objection p{margin:0 0 4px}.objection small{display:block;font:var(--small) var(--serif);color:var(--ink-2)}
.objection blockquote{margin:0;font:var(--lead) var(--serif);overflow-wrap:anywhere}
.steps{list-style:none;margin:0;padding:0;border-top:var(--hair) solid var(--ink)}
.step{display:grid;grid-template-columns:144px 1fr;gap:0 32px;padding:12px 0;border-bottom:var(--hair) solid var(--line);break-inside:avoid}
.step>div{min-width:0}
.step .when{font:var(--small) var(--serif)}.step .when b{font-size:16px;margin-right:6px}.step small{display:block;font:inherit;color:var(--ink-2)}
.step h3{margin:0 0 4px}
.step dl{display:grid;grid-template-columns:96px 1fr;gap:2px 16px;margin:0;font:var(--small) var(--serif);font-size:15px}
.step dt{color:var(--ink-2)}.step dd{margin:0;min-width:0;overflow-wrap:anywhere}.aloud{font-style:italic}
.quorum{display:block}.slot{fill:var(--surface);stroke:var(--ink)}.slot.given{fill:var(--ink)}.needed{stroke:var(--ink);stroke-width:2}
.digest{border-top:var(--rule) solid var(--ink);margin-top:var(--gap);padding-top:16px;break-inside:avoid}
.digest h2{margin-top:0}
.hex,.words,.mono{background:var(--surface)}
.hex{font:500 18px/28px var(--mono);white-space:pre-wrap;margin:0 0 8px;letter-spacing:-.01em}
.words{display:grid;grid-template-columns:repeat(8,1fr);gap:2px 12px;margin:0;padding:0;list-style:none;font:var(--small) var(--serif)}
.words i{font-style:normal;color:var(--ink-3);margin-right:5px}
.foot{margin:32px 0 0;color:var(--ink-2);font:var(--small) var(--serif);max-width:none}
.attention{list-style:none;margin:0 0 28px;padding:0;border-top:var(--hair) solid var(--ink)}
.attention li{padding:8px 0;border-bottom:var(--hair) solid var(--line)}
.mark{width:13px;height:13px;margin:0 7px -1px 0;fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.done{color:var(--done)}.warn{color:var(--warn)}.danger{color:var(--danger)}
.mark{stroke:currentColor}.mark .full{fill:currentColor}
.open{font-weight:700}
.practice{margin:16px 0 0;padding:8px 12px;border:var(--hair) solid var(--warn);color:var(--warn);font:var(--small) var(--serif)}
.practice b{letter-spacing:.08em}
.watermark{position:fixed;inset:0;display:grid;place-items:center;z-index:-1;pointer-events:none;overflow:hidden}
.watermark span{font:600 min(21vw,190px)/1 var(--serif);letter-spacing:.04em;color:transparent;-webkit-text-stroke:1.5px var(--warn);opacity:.22;
transform:rotate(-50deg);white-space:nowrap}
figure{margin:0 0 16px}
svg.drawing,.legend svg{display:block}
svg.drawing{width:100%;height:auto;font:13px var(--serif);fill:var(--ink)}
.drawing .b{font-weight:600}.drawing .q{fill:var(--ink-2)}.drawing .end{text-anchor:end}.drawing .mid{text-anchor:middle}
.drawing .hair{stroke:var(--line);stroke-width:1}.drawing .axis{stroke:var(--ink);stroke-width:1}
.drawing .bar{fill:var(--accent)}.drawing .act{fill:var(--surface);stroke:var(--ink);stroke-width:1.5}
.drawing .flag{fill:var(--ink)}.drawing .flagline{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3;fill:none}
.drawing .solid{fill:var(--accent);stroke:var(--accent)}.drawing .next{fill:var(--tint);stroke:var(--accent)}
.drawing .hatch{stroke:var(--accent)}.drawing .hatchline{stroke:var(--accent);stroke-width:1.4}
.drawing .dash{fill:none;stroke:var(--accent);stroke-dasharray:3 2}.drawing .thin{stroke:var(--edge);stroke-width:4;stroke-linecap:butt}
.drawing .halo{stroke:var(--surface);stroke-width:6}.drawing .today{stroke:var(--ink);stroke-width:2}
.drawing .cut{stroke:var(--danger);stroke-width:2.5;fill:none}.drawing .gone{fill:var(--surface);stroke:var(--danger);stroke-width:1.5}
.drawing .on{fill:var(--surface)}.drawing .dot{fill:var(--surface);stroke:var(--accent);stroke-width:1.5}
.drawing .cell{fill:var(--tint);stroke:var(--surface);stroke-width:1}.drawing .own{fill:var(--accent);stroke:var(--surface);stroke-width:1}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:0 0 8px;font:var(--small) var(--serif);color:var(--ink-2)}
.legend span{display:inline-flex;align-items:center;gap:8px}.legend svg{width:22px;height:12px}
svg.drawing.matrix{width:180px}.side figure{flex:none;width:180px;margin:0}.side figcaption{margin-top:8px}
.side .facts{margin-top:0}
.side{display:flex;gap:32px;align-items:flex-start}.side svg{flex:none}.side>div{flex:1}
@media screen and (max-width:760px){:root{--title:28px/36px;--lead:18px/28px}
main{margin:0;border:0;padding:24px 20px}.three{grid-template-columns:1fr;gap:20px}.words{grid-template-columns:repeat(4,1fr)}
.facts>tbody>tr>th{width:112px;padding-right:16px}.pair{white-space:normal}.side{flex-direction:column}
.scroll table{min-width:560px}.scroll .drawing{min-width:560px}}
@page{margin:20mm}
@media print{:root{color-scheme:light;${BLACK}
--body:10.5pt/15pt;--small:9pt/13pt;--title:25pt/30pt;--lead:12.5pt/18pt;--h2:12.5pt/17pt;--rule:1.2pt;--hair:.5pt;--gap:20pt}
body{background:#FFF}
main{max-width:none;margin:0;padding:0;border:0}
table,.three ul,.signed b{font-size:9.5pt;line-height:13pt}
.side .facts>tbody>tr>*{font-size:9.5pt}
h1{margin-top:18pt}.lead{margin-bottom:14pt}.scroll{overflow:visible}
tr,li,figure,.three,.digest,.objection,.keep{break-inside:avoid}
.signed{break-inside:avoid}
td{min-width:22mm}td.n{min-width:0}
.foot{break-before:avoid}h3+p{break-after:avoid}
h2+figure,h2+p,h2+ol,h2+table,h2+ul{break-before:avoid}
.step{grid-template-columns:32mm 1fr;gap:0 6mm;padding:5pt 0}.step dl{grid-template-columns:20mm 1fr;gap:0 4mm}.step dl,.step .when{font-size:9.5pt;line-height:13pt}
thead{display:table-header-group}
h1,h2,h3{break-after:avoid}
p{orphans:3;widows:3}
th,td{padding-top:4pt;padding-bottom:4pt}
.signed li{margin-top:30pt}.hex{font-size:12pt;line-height:18pt}.words{font-size:9pt}
svg.drawing{font-size:11.5px}.drawing .hair{stroke-width:.4;stroke-dasharray:1 3}.drawing .on{fill:#FFF}.drawing .cell{fill:#FFF;stroke:#000;stroke-width:.5}.drawing .own{stroke:#000;stroke-width:.5}
.watermark span{font-size:92pt;-webkit-text-stroke:.5pt #000;opacity:.5}}
`

/** On every sheet: the document's number, PRACTICE where it is, and the page of how many; `number` is cut to plain characters. */
export const sheetStyle = (number: string, practice: boolean): string => {
  const plain = number.replace(/[^A-Za-z0-9 .-]/g, '')
  const font = "font:9pt 'Source Serif 4','Source Serif Pro','Noto Serif',Georgia,serif;color:#000"
  return `@page{@bottom-left{content:"${plain}";${font}}@bottom-right{content:"Page " counter(page) " of " counter(pages);${font}}${
    practice ? `@bottom-center{content:"PRACTICE";letter-spacing:.08em;${font}}` : ''
  }}
`
}
