/* embedding_bench.c - shapes of the three models, a large vocabulary, and what they ask of a device. */
#include "plugins/embedding/embedding.h"
#include "plugins/work.h"

const char *const embedding_bench[] = {
	"tokens=8x128<256 vocab_size=256 d_model=256 max_seq_len=128", "tokens=64x128<256 vocab_size=256 d_model=256 max_seq_len=128",
	"tokens=8x256<256 vocab_size=256 d_model=512 max_seq_len=256", "tokens=64x256<256 vocab_size=256 d_model=512 max_seq_len=256",
	"tokens=8x512<256 vocab_size=256 d_model=768 max_seq_len=512", "tokens=32x512<256 vocab_size=256 d_model=768 max_seq_len=512",
	NULL
};

/* Forward: the tables are read once where they are smaller than what is made of them. */
struct hlx_work embedding_work(const struct hlx_node *node, bool backward)
{
	double y = work_count(&node->desc[Y]), tokens = work_count(&node->desc[TOKENS]);
	double token = work_count(&node->desc[TOKEN]), position = work_count(&node->desc[POSITION]);
	struct hlx_work w = { y * ((position > 0) + OPS_STORE), 4 * (y + tokens + (token < y ? token : y) + position) };

	if (!backward)
		return w;
	w = (struct hlx_work){ 0, 4 * (y + tokens) };
	for (int s = TOKEN; s <= POSITION; s++)
		if (work_wants(node, s) && node->desc[s].rank) {
			w.ops += y;
			w.bytes += work_runs(node, s);
		}
	return w;
}
