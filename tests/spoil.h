/* spoil.h - what tests do to a program that is ready to run. */
#ifndef SPOIL_H
#define SPOIL_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/program.h"

/* NaNs wherever a step may not read before it has written. */
static inline void spoil_memory(struct hlx_program *p)
{
	unsigned char *nans;
	uint64_t at;

	for (uint32_t i = 0; i < p->n_cells; i++) {
		const struct hlx_cell *c = &p->cell[i];
		const struct hlx_memory *m;
		if (c->parent != HLX_NONE || c->persistent || c->first == HLX_NONE || !c->bytes || c->external)
			continue;
		m = hlx_cell_memory(p, i, &at);
		ck_assert_ptr_nonnull(nans = malloc(c->bytes));
		memset(nans, 0xff, c->bytes);
		ck_assert_msg(hlx_memory_write(p->dev, m, at, c->bytes, nans) >= 0, "%s", hlx_message());
		free(nans);
	}
}

/* The command buffers once more, with a barrier before every step, or before none. */
static inline int spoil_barriers(struct hlx_program *p, bool every)
{
	hlx_program_release(p);
	for (uint32_t i = 0; i < p->n_steps; i++)
		p->step[i].barrier = every;
	return hlx_program_materialize(p);
}
#endif
