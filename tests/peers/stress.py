"""stress.py SEED: what a tokenizer may stumble over, to stdout: every code point in every plane, runs of blanks of all kinds,
contractions, numbers, emoji of several parts, controls.  stress.py SEED invalid: with bytes that are no UTF-8."""
import random
import sys

BLANKS = ["\t", "\n", "\v", "\f", "\r", "\r\n", *"\x1c\x1d\x1e\x1f\x85\xa0\u1680\u180e\u2000\u2003\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"]
WORDS = ["don't", "I'LL", "we've", "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", " 's", "''s", "x'", "'", "\u2019s", "'S", "'sx", "3'd",
         "\n's", "the", " The", "ing", "http://x.y/z?a=b&c", "int main(void)", "    return x;\n", "\u0120", "\u010a", "#version",
         "a" * 50, "-" * 16, "=" * 100, "<|endoftext|>", "<|endoftext", "<|", "e\u0301", "\u212b", "\ufb01", "\u1e9b\u0323",
         "\u0915\u094d\u0937", "1\ufe0f\u20e3", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "\U0001F44D\U0001F3FD", "\U0001F1E9\U0001F1EA",
         "\u00bd", "\u0663", "\u2167", "\u00b2", "\x00", "\x01", "\x7f", "\x9f"]
BROKEN = [b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98", b"\xff", b"\x80",
          b"\xe0\x80\xaf", b"\xf0\x80\x80\x80"]
STARTS = [0, 0x80, 0x370, 0x600, 0x900, 0x2000, 0x2070, 0x4E00, 0xAC00, 0xFE00, 0x10300, 0x1D400, 0x1F300, 0x20000, 0xE0000, 0x10FF00]


def character():
    return chr(random.choice(STARTS) + random.randrange(256))


def piece():
    kind = random.randrange(10)
    if kind < 3:
        return "".join(character() for _ in range(random.randrange(1, 6)))
    if kind < 6:
        return "".join(random.choice([" ", random.choice(BLANKS)]) for _ in range(random.choice([1, 1, 1, 2, 3, 9])))
    return str(random.randrange(10 ** random.randrange(1, 12))) if kind == 6 else random.choice(WORDS)


random.seed(int(sys.argv[1]))
out = sys.stdout.buffer
if sys.argv[2:] == ["invalid"]:
    for _ in range(20000):
        broken = random.choice([random.choice(BROKEN), random.randbytes(random.randrange(1, 5))])
        out.write(broken if random.random() < 0.5 else piece().encode())
else:
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            out.write((chr(code) + " " * (code % 7 == 3) + "\n" * (code % 64 == 63)).encode())
    out.write("".join(piece() for _ in range(60000)).encode())
