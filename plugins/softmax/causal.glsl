/* causal.glsl - how many of its `cols` columns a row of the softmax sees, of what forward and backward are both pushed. */

ONCE(uint, push, num_rows)
ONCE(uint, push, cols)
ONCE(uint, push, seq_len)
ONCE(uint, push, first_row)
ONCE(uint, push, causal)
ONCE(float, push, scale)

/*
 * Row r of the dispatch is query (first_row + r) % seq_len of its run; the last query of a run sees every column.  A CPU driver divides
 * lane by lane, as often as it is written, so its build divides before the first row and then counts.
 */
#ifdef ROWS_TEXEL
uint softmax_query;
#define SOFTMAX_QUERY(r) softmax_query
#define SOFTMAX_BEGIN \
	uint softmax_step = gl_NumWorkGroups.x * HLX_ROWS % seq_len; \
	softmax_query = (first_row + gl_WorkGroupID.x * HLX_ROWS + hlx_row_index()) % seq_len;
#define SOFTMAX_NEXT \
	softmax_query += softmax_step; \
	softmax_query -= softmax_query < seq_len ? 0u : seq_len;
#else
#define SOFTMAX_QUERY(r) ((first_row + (r)) % seq_len)
#define SOFTMAX_BEGIN
#define SOFTMAX_NEXT
#endif

uint softmax_seen(uint r)
{
	if (causal == 0u)
		return cols;
	int n = int(cols) - int(seq_len) + 1 + int(SOFTMAX_QUERY(r));
	return uint(max(n, 0));
}

/* At most, and at least, what the rows of this subgroup see of which `row` is one; the same in every lane, for loops with
 * shuffles. */
uvec2 softmax_bounds(uint row)
{
#ifdef ROWS_TEXEL
	if (HLX_ROWS == 1u)
		return uvec2(softmax_seen(row));
	return uvec2(cols, 0u);
#else
	uint beside = hlx_rows_beside(), base = row - hlx_row_index() % beside, last = base + beside - 1u;
	if (causal == 0u)
		return uvec2(cols);
	if ((first_row + base) % seq_len + beside > seq_len)
		return uvec2(cols, 0u);
	return uvec2(softmax_seen(last), softmax_seen(base));
#endif
}

/* A kept row is loaded without a branch, so that its loads are under way together: a group that no row of the subgroup
 * sees is read as the last one that is seen, which is in the cache. */
uint softmax_span(uint most)
{
	return ROWS_KEEP > 0u ? 64u * ROWS_KEEP : most;
}

uint softmax_group(uint g, uint most)
{
	return ROWS_KEEP > 0u ? min(g, (max(most, 1u) - 1u) / 4u) : g;
}
