// node tokens.mjs PEER TEXT TOKENS [TOKENIZER]: the ids in TOKENS, a file of llm.c, are those that PEER has for TEXT: tiktoken, or
// tokenizers with a tokenizer.json or a folder of vocab.json and merges.txt.
import fs from 'fs';
import { createRequire } from 'module';
import path from 'path';

const load = createRequire(path.resolve('peers', '_')), [peer, text, tokens, tokenizer] = process.argv.slice(2);

// What transformers makes of the two files.
function join(folder) {
	const vocab = JSON.parse(fs.readFileSync(folder + '/vocab.json'));
	const merges = fs.readFileSync(folder + '/merges.txt', 'utf8').split('\n').filter(line => line && !line.startsWith('#version'));
	const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }, end = '<|endoftext|>';
	return JSON.stringify({
		version: '1.0', truncation: null, padding: null, normalizer: null, pre_tokenizer: level, post_processor: level, decoder: level,
		added_tokens: [{ id: vocab[end], content: end, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }],
		model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
			fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges },
	});
}

async function theirs(text) {
	if (peer === 'tiktoken')
		return load('tiktoken').get_encoding('gpt2').encode(text, 'all', []);
	const { Tokenizer } = load('tokenizers');
	const t = fs.statSync(tokenizer).isDirectory() ? Tokenizer.fromString(join(tokenizer)) : Tokenizer.fromFile(tokenizer);
	return (await t.encode(text)).getIds();
}

const data = fs.readFileSync(tokens), ours = new Uint16Array(data.buffer, data.byteOffset + 1024, data.readInt32LE(8));
const want = await theirs(fs.readFileSync(text, 'utf8'));
let i = 0;
while (i < ours.length && i < want.length && ours[i] === want[i])
	i++;
const { version } = JSON.parse(fs.readFileSync(`peers/node_modules/${peer}/package.json`));
console.log(`${peer} ${version}: ${want.length} tokens`);
if (i < want.length || i < ours.length) {
	console.log(`token ${i} differs: ours ${ours.slice(i, i + 8)}, want ${want.slice(i, i + 8)}`);
	process.exit(1);
}
