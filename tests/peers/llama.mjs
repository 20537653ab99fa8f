// node llama.mjs MODEL N PROMPT...: what llama.cpp makes of each prompt with a GGUF: N tokens, the likeliest each; a line of JSON each.
import { createRequire } from 'module';
import path from 'path';
import { pathToFileURL } from 'url';

const file = createRequire(path.resolve('peers', '_')).resolve('node-llama-cpp');
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(file));
const [modelPath, count, ...prompts] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath });
for (const prompt of prompts) {
	const context = await model.createContext({ contextSize: model.trainContextSize }), out = model.tokenize(prompt, false);
	const end = out.length + Number(count);
	for await (const token of context.getSequence().evaluate([...out], { temperature: 0 }))
		if (out.push(token) === end)
			break;
	console.log(JSON.stringify(model.detokenize(out)));
	await context.dispose();
}
process.exit(0);
