package validate_test

import (
	"strings"
	"testing"

	"tarn/fhir/validate"
)

func TestXHTML_letsFormattingPass(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`<div xmlns="http://www.w3.org/1999/xhtml">x</div>`, `<div>text</div>`, " \n<div>x</div>\n ", `<div><p>x</p></div>`,
		`<div xmlns='http://www.w3.org/1999/xhtml' xml:lang="en" lang = "en"><b class="a">x</b><br/><br /><hr></hr></div>`,
		`<div><table border="1" summary="x"><thead><tr><th colspan="2">x</th></tr></thead><tbody><tr><td valign="top">&nbsp;&lt;&#160;&#xe9;&eacute;</td></tr></tbody></table></div>`,
		`<div><img src="data:image/png;base64,AAAA" alt=""/></div>`, `<div><a href="http://x.org/a?b=1&amp;c=2#d">x</a> <a href="#id">y</a> <a name="z"/></div>`,
		`<div><!-- a comment with <script> -->x</div>`, `<div><table xmlns="http://www.w3.org/1999/xhtml"><tr><td>1</td></tr></table></div>`,
		`<div><img src="#i" alt="> and '"/>x</div>`, `<div><a href="javascript.html">x</a><a href="a/javascript:x">y</a></div>`,
	} {
		if why, empty := validate.XHTMLForTest(text); why != "" || empty {
			t.Errorf("%s: %s", text, why)
		}
	}
}

func TestXHTML_refusesTheRest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``: "must begin with a div", `x`: "must begin with a div", `<p>x</p>`: "must begin with a div", `<DIV>x</DIV>`: "must begin with a div",
		`<div>x`: "breaks off", `<div`: "breaks off", `<div>x</p>`: "does not match", `<div><p>x</div></p>`: "does not match", `<div>x</div><div>y</div>`: "must end",
		`<div>x</div>y`: "must end", `<div></div>`: "some text", `<div/>`: "some text", `<div> <p> </p> </div>`: "some text", `<div><!-- x --></div>`: "some text",
		`<div><script>x</script></div>`: "must not have", `<div><SCRIPT>x</SCRIPT></div>`: "must not have", `<div><iframe src="x"/></div>`: "must not have",
		`<div><form>x</form></div>`: "must not have", `<div><object>x</object></div>`: "must not have", `<div><style>x</style></div>`: "must not have",
		`<div><input type="text"/></div>`: "must not have", `<div><link href="x"/></div>`: "must not have", `<div><svg>x</svg></div>`: "must not have",
		`<div onclick="x">x</div>`: "attribute", `<div><img onerror="x" src="x"/></div>`: "attribute", `<div href="x">x</div>`: "attribute", `<div><p src="x">x</p></div>`: "attribute",
		`<div><a href="javascript:x">x</a></div>`: "script", `<div><a href=" JavaScript :x">x</a></div>`: "script", `<div><a href="java&#115;cript:x">x</a></div>`: "script",
		`<div><a href="&#106;avascript:x">x</a></div>`: "script", `<div><img src="vbscript:x"/></div>`: "script", `<div><a href="jav` + "\t" + `ascript:x">x</a></div>`: "script",
		`<div xmlns="http://www.w3.org/2000/svg">x</div>`: "namespace", `<div class=a>x</div>`: "quotes", `<div class>x</div>`: "no value", `<div class="a"id="b">x</div>`: "white space",
		`<div class="a" class="b">x</div>`: "twice", `<div class="a>x</div>`: "breaks off", `<div class="<">x</div>`: "has a <", `<div>a < b</div>`: "begins no tag",
		`<div>a & b</div>`: "begins no reference", `<div>&;</div>`: "begins no reference", `<div>&unheard;</div>`: "HTML does not know", `<div>&#0;</div>`: "no character", `<div>&#xd800;</div>`: "no character",
		`<div>&#x;</div>`: "no character", `<!DOCTYPE html><div>x</div>`: "must begin with a div", `<div><![CDATA[x]]></div>`: "CDATA", `<div><?php x ?></div>`: "CDATA", `<div><!-- x</div>`: "comment",
		`<div></div`: "not closed", `<div>x</`: "not closed", "<div>&" + strings.Repeat("a", 99) + ";</div>": "begins no reference",
	} {
		if why, _ := validate.XHTMLForTest(text); !strings.Contains(why, want) {
			t.Errorf("%s: %q, want %q", text, why, want)
		}
	}
}

func FuzzXHTML(f *testing.F) {
	f.Add(`<div xmlns="http://www.w3.org/1999/xhtml" class='a'><b>x</b>&amp;<!-- c --><img src="x"/></div>`)
	f.Fuzz(func(t *testing.T, text string) { validate.XHTMLForTest(text) })
}
