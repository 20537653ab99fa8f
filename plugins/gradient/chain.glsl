/* chain.glsl - CHAIN_DATA[begin] + ... + CHAIN_DATA[end - 1], ascending from +0, 32 loads at a time. */
vec4 chain_load(uint i)
{
	return vec4(CHAIN_DATA[i], CHAIN_DATA[i + 1u], CHAIN_DATA[i + 2u], CHAIN_DATA[i + 3u]);
}

float chain_add(float acc, vec4 v)
{
	return (((acc + v.x) + v.y) + v.z) + v.w;
}

float chain(uint begin, uint end)
{
	float acc = 0.0f;
	uint i = begin;
	for (; i + 32u <= end; i += 32u) {
		vec4 a = chain_load(i), b = chain_load(i + 4u), c = chain_load(i + 8u), d = chain_load(i + 12u);
		vec4 e = chain_load(i + 16u), f = chain_load(i + 20u), g = chain_load(i + 24u), h = chain_load(i + 28u);
		acc = chain_add(chain_add(chain_add(chain_add(acc, a), b), c), d);
		acc = chain_add(chain_add(chain_add(chain_add(acc, e), f), g), h);
	}
	for (; i < end; i++)
		acc = acc + CHAIN_DATA[i];
	return acc;
}
