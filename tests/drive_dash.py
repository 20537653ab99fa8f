"""Drives the page of hlxt dash in a headless Chromium, over its debugging pipe: drive_dash.py CHROMIUM URL CHARTS SHOTS,
where CHARTS is yes or no and SHOTS a folder for screenshots.  Runs one, two and live are there, live trains.  A page with
charts is looked at a second time without its uPlot."""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time

chromium, url, charts, shots = sys.argv[1], sys.argv[2], sys.argv[3] == "yes", sys.argv[4]


class Browser:
    def __init__(self, profile):
        to_read, self.write_to = os.pipe()
        self.read_from, to_write = os.pipe()
        # The browser reads from 3 and writes to 4.
        script = f"exec {to_read}<&{to_read} 3<&{to_read} 4>&{to_write}; exec \"$@\""
        self.child = subprocess.Popen(
            ["bash", "-c", script, "-", chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--hide-scrollbars", f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.rest, self.events, self.session, self.answers = 0, b"", [], None, {}

    def read(self):
        while b"\0" not in self.rest:
            part = os.read(self.read_from, 1 << 16)
            if not part:
                sys.exit("the browser has ended")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_to, json.dumps(message).encode() + b"\0")
        return self.number

    def call(self, method, **params):
        number = self.send(method, **params)
        while True:
            got = self.read()
            if got.get("id") == number:
                if "error" in got:
                    sys.exit(f"{method}: {got['error']}")
                return got["result"]
            self.events.append(got)
            if got.get("method") in self.answers:
                self.answers[got["method"]](got["params"])

    def value(self, expression):
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in got:
            sys.exit(f"{expression}: {got['exceptionDetails']}")
        return got["result"].get("value")

    def wait(self, what, expression, seconds=30, shown="document.body.innerText"):
        end = time.time() + seconds
        while not self.value(expression):
            if time.time() > end:
                sys.exit(f"FAIL: {what}: the page says: {str(self.value(shown))[:2000]}")
            time.sleep(0.2)
        print(f"ok: {what}")

    def shoot(self, name):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(os.path.join(shots, name), "wb") as f:
            f.write(base64.b64decode(data))


def choose(b, *names):
    b.value("""document.querySelectorAll('#runs label').forEach(l => {
        const on = %s.includes(l.childNodes[2].textContent), box = l.querySelector('input');
        if (box.checked !== on) box.click(); })""" % json.dumps(names))


# Pixels of a colour in a chart, at any strength that a line of one pixel has.
PIXELS = """(id, r, g, b) => { const c = document.querySelector('#' + id + ' canvas'); if (!c) return 0;
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;
    for (let i = 0; i < d.length; i += 4)
        n += d[i + 3] > 60 && Math.abs(d[i] - r) + Math.abs(d[i + 1] - g) + Math.abs(d[i + 2] - b) < 48;
    return n; }"""
STEP = "Number(([...document.querySelectorAll('#runs label')].find(l => l.innerText.includes('live'))?.innerText.match(/step (\\d+)/) ?? [])[1] ?? 0)"


def size(b, width, height):
    b.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)


def light(b, charts):
    size(b, 1200, 900)
    b.call("Page.navigate", url=url)
    b.wait("the runs are listed", "document.querySelectorAll('#runs label').length === 3")
    b.wait("the run that trains has steps", STEP + " > 0")
    first = b.value(STEP)
    b.wait("it goes on while we look", f"{STEP} > {first}")
    b.wait("samples are there", "document.querySelector('#samples').innerText.includes('sample, step 20')")
    if charts:
        choose(b, "live")
        blue = f"({PIXELS})('loss', 0, 114, 178)"
        b.wait("the curve of the run that trains is there", blue + " > 20", shown=blue)
        b.value("drawn = document.querySelector('#loss canvas').toDataURL()")
        b.wait("it is drawn further while we look", "document.querySelector('#loss canvas').toDataURL() !== drawn")
    choose(b, "one", "two")
    b.wait("two runs are compared", "document.querySelector('#same').innerText === "
           "'one and two are identical through step 8, and differ from step 9 on'")
    b.wait("what differs is named", "document.querySelector('#config').innerText.includes('train.lr')")
    if charts:
        b.shoot("curves.png")
        for chart in "loss", "lr", "grad_norm", "tokens_per_s":
            b.wait(f"{chart} has its curves", f"({PIXELS})('{chart}', 213, 94, 0) > 20 && ({PIXELS})('{chart}', 0, 158, 115) > 20",
                   shown=f"[({PIXELS})('{chart}', 213, 94, 0), ({PIXELS})('{chart}', 0, 158, 115)]")
        b.wait("memory has its curve", f"({PIXELS})('memory', 0, 158, 115) > 20")  # the other is below it: they hold the same
        before = b.value("document.querySelector('#loss canvas').toDataURL()")
        for box in "logx", "logy":
            b.value(f"document.getElementById('{box}').click()")
            b.wait(f"{box} changes the chart", f"document.querySelector('#loss canvas').toDataURL() !== {json.dumps(before)}")
            before = b.value("document.querySelector('#loss canvas').toDataURL()")
            b.value(f"document.getElementById('{box}').click()")
        b.value("{ const s = document.getElementById('smooth'); s.value = 0.9; s.dispatchEvent(new Event('input')); }")
        b.wait("smoothing adds a curve", "[...document.querySelectorAll('#loss .u-label')].some(e => e.innerText === 'one, each step')")
    else:
        b.wait("says that there are no charts", "document.querySelector('#note').innerText.includes('--with-uplot')")
        b.wait("shows the last steps instead", r"/one\t20\t[0-9.]+\t[0-9.]+\t.*\ntwo\t20\t/.test(document.querySelector('#last').innerText)")
        b.wait("and no empty frames", "![...document.querySelectorAll('.chart')].some(c => c.offsetParent)")
    b.shoot("light.png" if charts else "light_plain.png")


def dark(b, charts):
    b.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    b.wait("dark", "getComputedStyle(document.body).backgroundColor === 'rgb(17, 20, 24)'")
    time.sleep(0.5)
    b.shoot("dark.png" if charts else "dark_plain.png")
    size(b, 390, 844)
    b.wait("a phone needs no scrolling sideways", "document.documentElement.scrollWidth <= 390")
    time.sleep(0.5)
    b.shoot("phone.png" if charts else "phone_plain.png")
    b.call("Emulation.setEmulatedMedia", features=[])


def without_uplot(b):
    """As what a hlxt without it serves: an empty script."""
    b.call("Fetch.enable", patterns=[{"urlPattern": "*/uplot.*"}])
    b.answers["Fetch.requestPaused"] = lambda e: b.send("Fetch.fulfillRequest", requestId=e["requestId"], responseCode=200,
                                                        body=base64.b64encode(b"\n").decode())


def drive(b):
    target = b.call("Target.createTarget", url="about:blank")["targetId"]
    b.session = b.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in "Page", "Runtime", "Network", "Log":
        b.call(domain + ".enable")
    for with_charts in (True, False) if charts else (False,):
        if charts and not with_charts:
            without_uplot(b)
        light(b, with_charts)
        dark(b, with_charts)
    for e in b.events:
        if "method" not in e:  # what send() was answered
            continue
        if e["method"] == "Network.requestWillBeSent" and not e["params"]["request"]["url"].startswith((url, "data:")):
            sys.exit(f"FAIL: fetches {e['params']['request']['url']}")
        if e["method"] == "Runtime.exceptionThrown":
            sys.exit(f"FAIL: {e['params']['exceptionDetails']}")
        if e["method"] == "Log.entryAdded" and e["params"]["entry"]["level"] == "error":
            sys.exit(f"FAIL: {e['params']['entry']}")
    print("ok: nothing is fetched from elsewhere, and nothing throws")


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    browser = Browser(profile)
    try:
        drive(browser)
    finally:
        browser.session = None
        browser.child.terminate()
        browser.child.wait()
