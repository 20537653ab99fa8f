#include "core/check/kernel.h"

#include <string.h>
#include <xxhash.h>

#include "core/check/verdict.h"

bool hlx_kernel_of(const struct hlx_program *p, const struct hlx_prog_step *s, struct hlx_kernel *out)
{
	const struct hlx_prog_node *n = &p->node[s->node];

	*out = (struct hlx_kernel){ .pipeline = s->kind == HLX_DISPATCH ? s->pipeline : NULL };
	for (uint32_t i = 0; i < s->n_access; i++)
		if (s->access[i].next) {
			out->next = (struct hlx_check_next){ p->node[n->next[s->backward]].op, n->finish[s->backward].slot, !p->options.backward };
			out->mode = s->backward ? HLX_CHECK_BEHIND : HLX_CHECK_BEFORE;
		}
	return s->kind == HLX_DISPATCH || s->kind == HLX_HOST_CALL; /* fills and copies compute nothing */
}

bool hlx_kernel_is_same(const struct hlx_kernel *a, const struct hlx_kernel *b)
{
	return a->pipeline == b->pipeline && a->next.op == b->next.op && a->next.slot == b->next.slot &&
		a->next.infer == b->next.infer && a->mode == b->mode;
}

uint64_t hlx_kernel_key(uint64_t base, const struct hlx_kernel *k)
{
	uint64_t key = hlx_verdict_key(base, k->pipeline);
	const uint32_t how[] = { k->next.slot, k->next.infer, k->mode };

	return k->next.op ? XXH64(how, sizeof(how), XXH64(k->next.op->name, strlen(k->next.op->name), key)) : key;
}
