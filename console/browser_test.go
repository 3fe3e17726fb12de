package console_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tarn/access/sigv4"
	"tarn/app"
)

// A browser, driven through the whole trip on a real server. TARN_SCREENSHOTS=DIR keeps pictures of the pages.

const patience = 90 * time.Second // for one step, on a machine with much else to do

type browser struct {
	t   *testing.T
	ctx context.Context
	url string

	mu         sync.Mutex
	complaints []string // of the browser: scripts that broke, content that the policy kept out
}

// hear gathers what the browser complains of.
func (b *browser) hear(ev any) {
	text := ""
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // which only tells the statuses that we chose
			text = e.Entry.Text
		}
	}
	if text != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, text)
	}
}

func startApp(t *testing.T) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Run(ctx, func() { close(ready) }) }()
	<-ready
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a
}

func startBrowser(t *testing.T, url string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium here: the trip through the pages of a real server is left out")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun)
	for _, flag := range []string{"headless", "disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		opts = append(opts, chromedp.Flag(flag, true))
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), opts...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { cancel(); cancelAllocator() })
	b := &browser{t: t, ctx: ctx, url: url}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.complaints) > 0 {
			t.Errorf("the browser complains: %q", b.complaints)
		}
	})
	return b
}

// do takes steps, and shows the page if one of them fails.
func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\nthe page says:\n%s", what, err, b.text("main"))
	}
}

func (b *browser) text(css string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(css)))
	if err != nil {
		return "(no " + css + ": " + err.Error() + ")"
	}
	return s
}

// press sends a form by the button with these words and waits for the next page.
func (b *browser) press(css string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(css))); err != nil {
		b.t.Fatalf("press %s: %v\nthe page says:\n%s", css, err, b.text("main"))
	}
}

func (b *browser) visit(path string) {
	b.t.Helper()
	b.do("visit "+path, chromedp.Navigate(b.url+path))
}

func (b *browser) see(css string) {
	b.t.Helper()
	b.do("see "+css, chromedp.WaitVisible(chromedp.CSS(css)))
}

func (b *browser) fill(css, value string) {
	b.t.Helper()
	b.do("fill "+css, chromedp.SetValue(chromedp.CSS(css), value))
}

func (b *browser) says(css, want string) {
	b.t.Helper()
	if got := b.text(css); !strings.Contains(got, want) {
		b.t.Fatalf("%s says %q, not %q", css, got, want)
	}
}

// defects are what keeps people from using a page: what is wider than a phone, controls without a label, ids that are
// there twice, headings that are missing.
const defects = `(() => {
	const bad = [], ids = new Set();
	if (document.documentElement.scrollWidth > innerWidth) bad.push("wider than the screen: " + document.documentElement.scrollWidth);
	for (const c of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
		if (!c.labels.length) bad.push("no label: " + c.outerHTML);
	for (const c of document.querySelectorAll("button, a"))
		if (!c.textContent.trim() && !c.ariaLabel) bad.push("no name: " + c.outerHTML);
	for (const e of document.querySelectorAll("[id]")) {
		if (ids.has(e.id)) bad.push("twice: #" + e.id);
		ids.add(e.id);
	}
	for (const e of document.querySelectorAll("[aria-describedby]"))
		if (!ids.has(e.getAttribute("aria-describedby"))) bad.push("described by nothing: " + e.outerHTML);
	if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
	return bad.join("\n");
})()`

// picture looks at the page as a phone shows it, for defects, and keeps pictures in light, dark and of the phone where
// they are wanted.
func (b *browser) picture(name string) {
	b.t.Helper()
	b.do("look", chromedp.EmulateViewport(390, 844))
	if bad, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](defects)); err != nil || bad != "" {
		b.t.Errorf("%s: %v\n%s", name, err, bad)
	}
	b.do("look", chromedp.EmulateViewport(1280, 900))
	dir := os.Getenv("TARN_SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, look := range []struct {
		name          string
		dark          bool
		width, height int64
	}{{"light", false, 1280, 900}, {"dark", true, 1280, 900}, {"phone", false, 390, 844}} {
		b.do("look", chromedp.EmulateViewport(look.width, look.height), colours(look.dark))
		raw, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-"+look.name+".png"), raw, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	b.do("look", chromedp.EmulateViewport(1280, 900), colours(false))
}

// openBucket turns one setting of Block Public Access off.
func openBucket(t *testing.T, a *app.App, bucket string) {
	t.Helper()
	body := "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>" +
		"<BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, a.URL()+"/"+bucket+"?publicAccessBlock=", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	sigv4.Sign(r, sigv4.Credentials{AccessKeyID: a.Root().AccessKeyID, Secret: a.Root().Secret}, "s3", "us-east-1", hex.EncodeToString(sum[:]), time.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("PutPublicAccessBlock: %s %s", resp.Status, text)
	}
}

func TestBrowser_exportsFromAnEmptyServerByFormsAlone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short: the trip with a browser is left out")
	}
	a := startApp(t)
	b := startBrowser(t, a.Address())

	b.visit("/console/jobs")
	b.see("#access-key")
	b.picture("signin")
	b.fill("#access-key", a.Root().AccessKeyID)
	b.fill("#secret", "not the secret")
	b.press("button.main")
	b.says("[role=alert]", "is not right")
	b.fill("#secret", a.Root().Secret)
	b.press("button.main")
	b.says("h1", "Jobs")

	b.visit("/console/")
	b.says("main", "No data stores yet")
	b.picture("empty")
	b.press("a.button.main")
	b.fill("#name", "Lakeside Clinic")
	b.do("choose", chromedp.Click(chromedp.CSS("#preload")))
	b.picture("create")
	b.press("form.narrow button.main")
	b.says("h1", "Lakeside Clinic")
	b.see(".pill[data-status=ACTIVE]")
	b.picture("datastore")

	b.press(".head .button.main")
	b.says("h1", "Export")
	b.says("#policies", "healthlake.amazonaws.com")
	b.fill("#bucket-name", "lakeside-exports")
	b.do("follow the form", chromedp.SendKeys(chromedp.CSS("#prefix"), "2026/q4"), chromedp.SendKeys(chromedp.CSS("#job-name"), "quarterly"))
	waitFor(b, "#policies", "arn:aws:s3:::lakeside-exports")
	b.press("button.second")
	b.says(".banner.note", "lakeside-exports will be created")
	b.picture("export-new")
	b.press(".sticky button.main")
	b.says(".banner.ok", "The export job was submitted")
	b.picture("job-started")
	b.see(".pill[data-status=COMPLETED]")
	b.says("main", "Output files")
	b.says("main", "s3://lakeside-exports/2026/q4/")
	b.says("main", "Patient")
	b.do("open the list", chromedp.Click(chromedp.CSS("#files summary")))
	b.says("#files", "manifest.json")
	b.picture("job-completed")

	openBucket(t, a, "lakeside-exports")
	b.press(".head .actions .button")
	b.says("h1", "Export")
	b.press("button.second")
	b.says("#at-bucket .finding", "BlockPublicPolicy")
	b.picture("export-findings")
	b.press(".sticky button.main")
	b.says("#at-bucket .finding", "BlockPublicPolicy")

	b.visit("/console/jobs")
	b.says("table", "quarterly")
	b.picture("jobs")
	b.visit("/console/datastores")
	b.picture("datastores")
	b.press("tbody th a")
	b.press(".button.danger")
	b.fill("#name", "another name")
	b.press("button.danger")
	b.says("[role=alert]", "not the name")
	b.picture("delete")
	b.fill("#name", "Lakeside Clinic")
	b.press("button.danger")
	b.says(".banner.ok", "is being deleted")

	b.press(".who button")
	b.says("h1", "Sign in")
	b.visit("/console/datastores")
	b.says("h1", "Sign in")
}
