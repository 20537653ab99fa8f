/*
 * sway: y[r] = gain * sum of x[r][c] w[c], c ascending.  x: (rows, cols), w: (cols), y: (rows)
 *
 * The push block of all its kernels.
 */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "faults.h"

layout(constant_id = 0) const uint fault = RIGHT;
layout(push_constant) uniform Push {
	uint rows, cols, x_first, x_row, x_col, y_first, slots, slot_stride, accum;
	float gain;
};

uint x_at(uint r, uint c)
{
	if (fault == BEHIND)
		return r * x_row + c * x_col;
	return fault == STRIDE ? x_first + r * cols + c : x_first + r * x_row + c * x_col;
}
