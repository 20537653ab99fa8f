/* causal.glsl - how many of its `cols` columns a row of the softmax sees. */

/* Row r of the dispatch is query (first_row + r) % seq_len of its run; the last query of a run sees every column. */
uint softmax_seen(uint r)
{
	if (causal == 0u)
		return cols;
	int n = int(cols) - int(seq_len) + 1 + int((first_row + r) % seq_len);
	return uint(max(n, 0));
}

/* At least what the rows of this workgroup see that start at `base`; the same in every lane, for loops with shuffles. */
uint softmax_most(uint base)
{
	uint last = base + HLX_ROWS - 1u;
	if (causal == 0u || (first_row + base) % seq_len + HLX_ROWS > seq_len)
		return cols;
	return softmax_seen(last);
}

/* A kept row is loaded without a branch, so that its loads are under way together: a group that no row of the workgroup
 * sees is read as the last one that is seen, which is in the cache. */
uint softmax_span(uint most)
{
	return ROWS_KEEP > 0u ? 64u * ROWS_KEEP : most;
}

uint softmax_group(uint g, uint most)
{
	return ROWS_KEEP > 0u ? min(g, (max(most, 1u) - 1u) / 4u) : g;
}
