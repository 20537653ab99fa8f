# run_lib.sh - what the run_*.test share: a small corpus and model, and words to check with.  Sourced.
# shellcheck shell=sh disable=SC2154
set -u
hlxt=${HLXT:-$top_builddir/hlxt}
mkdir -p "$top_builddir/tests/tmp"
work=$(mktemp -d "$top_builddir/tests/tmp/run-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
failed=0

if ! "$hlxt" devices >devices.log 2>&1; then
	cat devices.log
	echo 'SKIP: no Vulkan device'
	exit 77
fi

i=0
while [ $i -lt 400 ]; do
	echo "In year $((i * 7 % 1000)) the $((i % 13)) birds of hill $((i * 31 % 97)) sang about rain, and it rained."
	i=$((i + 1))
done >corpus.txt

# tiny.ini's wiring on a model that takes milliseconds a step; checkpoints at 0, 8, 16 ... and the end.
cat >settings <<'END'
model.d_model=32
model.num_layers=2
model.num_heads=2
model.ffn_dim=64
model.max_seq_len=16
train.batch_size=4
train.steps=20
train.warmup=5
train.eval_every=8
train.eval_batches=2
output.checkpoint_every=8
output.sample_every=0
output.sample_tokens=8
END
sed -e 's/  *;.*//' -e '/^;/d' "$top_srcdir/models/tiny.ini" >small.ini
while read -r setting; do
	key=${setting%%=*}
	sed -i "s|^${key#*.} = .*|${key#*.} = ${setting#*=}|" small.ini
done <settings

say() { echo "$*"; }
pass() { say "ok: $*"; }
fail() { say "FAIL: $*"; failed=1; }
end() { [ $failed = 0 ] || exit 1; }

# want STATUS WHAT COMMAND...: the exit status; output in out, messages in err.
want() {
	status=$1 what=$2
	shift 2
	"$@" >out 2>err </dev/null
	got=$?
	if [ $got != "$status" ]; then
		fail "$what: exit status $got, want $status: $(cat err)"
		return 1
	fi
	pass "$what"
}

# refuse STATUS TEXT COMMAND...: exit status, and one line on stderr that has the text.
refuse() {
	status=$1 text=$2
	shift 2
	"$@" >out 2>err </dev/null
	got=$?
	if [ $got != "$status" ]; then
		fail "$text: exit status $got, want $status: $(cat err)"
	elif [ "$(grep -c . err)" != 1 ] || ! grep -q '^hlxt: ' err; then
		fail "$text: want one line, got: $(cat err)"
	elif ! grep -qF -- "$text" err; then
		fail "want \"$text\", got: $(cat err)"
	else
		pass "$(cat err)"
	fi
}

# same A B: the folders' last checkpoints, chains and samples are byte for byte the same.
same() {
	for file in chain tensors samples.txt $(cd "$1" && ls -d checkpoints/*/*); do
		cmp -s "$1/$file" "$2/$file" || { fail "$1/$file and $2/$file differ"; return 1; }
	done
	pass "$1 and $2 are the same, bit for bit"
}

state() { sed -n 's/.*"hash": "\(.*\)".*/\1/p' "$1"/checkpoints/step-"$2"/state.json; }
