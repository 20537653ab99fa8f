/* conf_keys.c - one table of the keys of [model], [train], [numerics], [data] and [output]: what the parser takes, what run.ini says,
 * and what hlxt help ini and docs/ini.md tell of them. */
#include "runner/conf_keys.h"
#include "runner/token_file.h"

static const char *const schedules[] = {
	[HLX_DECAY_CONSTANT - 1] = "constant", [HLX_DECAY_LINEAR - 1] = "linear", [HLX_DECAY_COSINE - 1] = "cosine", NULL
};
static const char *const modes[] = { [HLX_PORTABLE - 1] = "portable", [HLX_DEVICE - 1] = "device", NULL };
static const char *const recomputes[] = { [HLX_RECOMPUTE_NONE] = "none", [HLX_RECOMPUTE_LAYER] = "layer", NULL };
static const char *const switches[] = { "no", "yes", NULL };

#define AT(member) offsetof(struct conf, member)
#define BIG 9007199254740992.0 /* 2^53 */
const struct conf_key conf_keys[] = {
	{ "model", "vocab_size", "number of tokens; 256 where a token is a byte",
		KEY_SIZE, AT(vocab_size), .min = 1, .max = 1 << 30 },
	{ "model", "max_seq_len", "length of a sequence",
		KEY_SIZE, AT(seq_len), .min = 1, .max = 1 << 30 },
	{ "model", "num_layers", "how often `[layer]` is repeated",
		KEY_SIZE, AT(num_layers), .min = 0, .max = 4096 },

	{ "train", "batch_size", "sequences a step",
		KEY_INT, AT(batch_size), .def = 8, .min = 1, .max = 1 << 20 },
	{ "train", "micro_batch", "sequences that are computed at a time: what a step takes of memory, and no bit of it",
		KEY_INT, AT(micro_batch), .def = 0, .min = 1, .max = 1 << 20, .shown = "`batch_size`", .later = true },
	{ "train", "recompute", "`layer`: what a layer makes for itself is made again for the backward pass; less memory, more time, "
		"the same bits",
		KEY_CHOICE, AT(recompute), .def = 1 + HLX_RECOMPUTE_NONE, .choices = recomputes, .later = true },
	{ "train", "steps", "length of the run, or",
		KEY_INT, AT(steps), .def = 0, .min = 0, .max = 4294967295.0, .later = true },
	{ "train", "epochs", "so many passes over the training part; give one of the two",
		KEY_INT, AT(epochs), .def = 0, .min = 0, .max = 1 << 30, .shown = "10" },
	{ "train", "lr", "highest learning rate",
		KEY_REAL, AT(lr), .def = 3e-4, .min = 0, .max = 1e3, .later = true },
	{ "train", "lr_min", "what the schedule goes down to, as a share of `lr`",
		KEY_REAL, AT(lr_min), .def = 0.1, .min = 0, .max = 1, .later = true },
	{ "train", "warmup", "steps on which the rate rises from 0 to `lr`; a value with a point, like 0.05, is their share of `steps`, "
		"rounded to whole ones",
		KEY_SHARE, AT(warmup), .def = 0, .min = 0, .max = 4294967295.0, .later = true },
	{ "train", "schedule", "from there on: all the same, or down to `lr_min` times `lr` at the last step",
		KEY_CHOICE, AT(schedule), .def = HLX_DECAY_COSINE, .choices = schedules, .later = true },
	{ "train", "seed", "of initial weights, order of the sequences, dropout, and samples",
		KEY_INT, AT(seed), .def = 1, .min = 0, .max = BIG },
	{ "train", "slots", "partial sums of a gradient over the batch, a power of two that divides `batch_size`; they are part of what "
		"is computed. 0: the largest up to 8",
		KEY_INT, AT(slots), .def = 0, .min = 0, .max = 1024 },
	{ "train", "init", "whose weights the run starts with: a safetensors file, or the folder of a model, a run or a checkpoint. "
		"Without it they are random",
		KEY_PATH, AT(init_text), .text = "" },
	{ "train", "frozen", "parameters that stay as they are, by their paths, blanks between: `embed.* layer.0.*`",
		KEY_TEXT, AT(frozen), .text = "" },
	{ "train", "optimizer", "an op; its own keys stand in `[train]`, too",
		KEY_TEXT, AT(optimizer), .text = "adam" },
	{ "train", "eval_every", "steps between validations; there is one after the last step anyhow",
		KEY_INT, AT(eval_every), .def = 100, .min = 0, .max = BIG, .later = true },
	{ "train", "eval_batches", "batches a validation takes, the same ones each time",
		KEY_INT, AT(eval_batches), .def = 20, .min = 1, .max = 1 << 30, .later = true },
	{ "train", "early_stop", "validations in a row without a smaller loss than the smallest so far, after which the run ends; "
		"0: never",
		KEY_INT, AT(early_stop), .def = 0, .min = 0, .max = BIG, .later = true },

	{ "numerics", "mode", "`portable`: the same bits on every device and driver. `device`: any implementation, and the bits are "
		"this device's and driver's own",
		KEY_CHOICE, AT(mode), .def = HLX_PORTABLE, .choices = modes, .later = true },

	{ "data", "corpus", "files to train on, names or patterns, blanks between; read as one run of tokens",
		KEY_FILES, .offset = AT(corpus), .later = true },
	{ "data", "validation", "files for validation alone, named the same way; `split` must be 0 or left out then",
		KEY_FILES, .offset = AT(validation), .later = true },
	{ "data", "split", "without such files: the share at the end of the corpus that is for validation; 0 for none",
		KEY_REAL, AT(split), .def = 0.1, .min = 0, .max = 0.9 },
	{ "data", "tokenizer", "`bytes`: a token is a byte. Otherwise the path of a `tokenizer.json`, or of a folder with `vocab.json` "
		"and `merges.txt`",
		KEY_PATH, AT(tokenizer_name), .text = "bytes", .later = true },
	{ "data", "format", "what the files are, see below. `auto`: `llmc` where a file begins as those do, else `uint16` where its name "
		"ends with `.bin`, else `text`",
		KEY_CHOICE, AT(format), .def = FORMAT_AUTO, .choices = token_formats },

	{ "output", "dir", "the run's folder, NAME being that of the INI; `--out` comes first",
		KEY_PATH, AT(dir), .shown = "runs/NAME" },
	{ "output", "checkpoint_every", "there is one before the first step and after the last anyhow",
		KEY_EVERY, AT(checkpoint_every), .def = 10, .min = 0, .max = BIG, .later = true },
	{ "output", "keep", "the newest checkpoints that are kept, besides those of step 0 and of the best validation",
		KEY_INT, AT(keep), .def = 3, .min = 1, .max = 1 << 30, .later = true },
	{ "output", "keep_every", "there is a checkpoint after each so many, which is kept for good, whatever `resume` sets later; 0: none",
		KEY_EVERY, AT(keep_every), .def = 0, .min = 0, .max = BIG, .shown = "0", .later = true },
	{ "output", "log_every", "steps between lines where output is no terminal; metrics.jsonl has every step",
		KEY_INT, AT(log_every), .def = 10, .min = 1, .max = BIG, .later = true },
	{ "output", "tensorboard", "`yes`: a file for TensorBoard in the run's folder, with what metrics.jsonl has of a step",
		KEY_CHOICE, AT(tensorboard), .def = 1, .choices = switches, .later = true },
	{ "output", "sample_every", "steps between samples; there is one after the last step anyhow",
		KEY_INT, AT(sample_every), .def = 0, .min = 0, .max = BIG, .later = true },
	{ "output", "sample_tokens", "length of a sample; 0 for none",
		KEY_INT, AT(sample_tokens), .def = 256, .min = 0, .max = 1 << 24, .later = true },
	{ "output", "sample_prompt", "what a sample begins with; `\"in quotes\"` where it ends in a blank",
		KEY_TEXT, AT(sample_prompt_text), .text = "", .later = true },
	{ "output", "sample_temperature", "0 takes the likeliest token, 1 the model's own odds",
		KEY_REAL, AT(sample_temperature), .def = 0.8, .min = 0, .max = 1000, .later = true },
	{ "output", "sample_top_k", "draw from so many likeliest tokens; 0: from all",
		KEY_INT, AT(sample_top_k), .def = 0, .min = 0, .max = 4294967295.0, .later = true },
	{ "output", "sample_top_p", "draw from the likeliest tokens (of these) that make up this much",
		KEY_REAL, AT(sample_top_p), .def = 0.95, .min = 0, .max = 1, .later = true },
	{ 0 }
};
