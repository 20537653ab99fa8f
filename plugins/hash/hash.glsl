/*
 * hash.glsl - the body of the kernels: a workgroup hashes one block of at most 4,096 elements of one tensor in one array.
 *
 * data: (n), a window of the array   blocks: (blocks, 4) place / 64, elements, tensor, number
 * keys, sums: (arrays, rows, 2)
 *
 * Four elements a lane and turn; what a group of four adds depends on its index and on nothing before it, and sums of
 * integers have no order: so any window, any number of lanes and any atomic gives the same two words.
 * index * 0x9e3779b1 of hlx_hash_lo is carried along: one add for a multiplication (5 to 4 an element).
 */
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint first;   /* block of workgroup 0 */
	uint segment; /* of the window's first element: its place / 64 */
	uint length;  /* of the window, in segments of 64 */
	uint row;     /* of the array's tensor 0 in keys and sums */
};
#ifdef HASH_TEXEL
layout(binding = 0) uniform samplerBuffer data;
#define HASH_DATA(i) hlx_bits(texelFetch(data, int(i)))
#else
layout(binding = 0) readonly restrict buffer Data { uvec4 data[]; };
#define HASH_DATA(i) data[i]
#endif
layout(binding = 1) readonly restrict buffer Blocks { uvec4 blocks[]; };
layout(binding = 2) readonly restrict buffer Keys { uvec2 keys[]; };
layout(binding = 3) restrict buffer Sums { uint sums[]; };

void hash_add(uint bits, uint at, uint key_hi, inout uint lo, inout uint hi)
{
	uint h = hlx_hash_mix(bits ^ at);
	lo += h;
	hi += hlx_hash_hi(h, key_hi);
}

/* The lanes' sums into those of the tensor: through shuffles where a workgroup is one subgroup, else through shared memory. */
#ifdef HASH_SUBGROUP
#define HASH_HALVE(n) \
	if (gl_WorkGroupSize.x > n) { \
		lo += subgroupShuffleXor(lo, n); \
		hi += subgroupShuffleXor(hi, n); \
	}

void hash_collect(uint to, uint lo, uint hi)
{
	HASH_HALVE(32u)
	HASH_HALVE(16u)
	HASH_HALVE(8u)
	HASH_HALVE(4u)
	HASH_HALVE(2u)
	HASH_HALVE(1u)
	if (gl_SubgroupInvocationID == 0u) {
		atomicAdd(sums[to], lo);
		atomicAdd(sums[to + 1u], hi);
	}
}
#else
shared uint hash_shared[2];

void hash_collect(uint to, uint lo, uint hi)
{
	if (gl_LocalInvocationIndex < 2u)
		hash_shared[gl_LocalInvocationIndex] = 0u;
	barrier();
	atomicAdd(hash_shared[0], lo);
	atomicAdd(hash_shared[1], hi);
	barrier();
	if (gl_LocalInvocationIndex < 2u)
		atomicAdd(sums[to + gl_LocalInvocationIndex], hash_shared[gl_LocalInvocationIndex]);
}
#endif

void main()
{
	uvec4 block = blocks[first + gl_WorkGroupID.x];
	uint row_at = row + block.z, lanes = gl_WorkGroupSize.x, lane = gl_LocalInvocationIndex;
	uvec2 key = keys[row_at];
	uint k = 0x9e3779b1u, lo = 0u, hi = 0u;

	/* The block's part [from, to) that lies in the window; block and window begin at multiples of 64. */
	int ahead = int(block.x - segment);
	bool here = ahead > -64 && ahead < int(length);
	uint start = uint(ahead > 0 ? ahead : 0) * 16u; /* in groups of four, from the window's first */
	uint from = uint(ahead < 0 ? -ahead : 0) * 64u;
	uint room = from + (length * 16u - start) * 4u;
	uint to = here ? min(block.y, room) : 0u;
	uint groups = to > from ? (to - from) / 4u : 0u;

	uint at = hlx_hash_base(key.x, key.y, block.w >> 20u) + ((block.w << 12u) + from + 4u * lane) * k;
	for (uint g = lane; g < groups; g += lanes, at += 4u * k * lanes) {
		uvec4 d = HASH_DATA(start + g);
		hash_add(d.x, at, key.y, lo, hi);
		hash_add(d.y, at + k, key.y, lo, hi);
		hash_add(d.z, at + 2u * k, key.y, lo, hi);
		hash_add(d.w, at + 3u * k, key.y, lo, hi);
	}
	/* the last group, where it is not whole: of the lane whose turn it would be */
	uint rest = to > from ? (to - from) % 4u : 0u;
	if (rest > 0u && lane == groups % lanes) {
		uvec4 d = HASH_DATA(start + groups);
		hash_add(d.x, at, key.y, lo, hi);
		if (rest > 1u)
			hash_add(d.y, at + k, key.y, lo, hi);
		if (rest > 2u)
			hash_add(d.z, at + 2u * k, key.y, lo, hi);
	}
	hash_collect(2u * row_at, lo, hi);
}
