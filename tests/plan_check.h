/*
 * plan_check.h - what holds of every plan: no two cells that live at one time share a byte, every access is inside its
 * cell, every conflict has a barrier and no barrier is without one, nothing is read before it is written.
 */
#ifndef PLAN_CHECK_H
#define PLAN_CHECK_H

#include "core/program/program.h"

/* Fails the test where one does not. */
void plan_check(const struct hlx_program *);
/* Fails it where two plans are not the same. */
void plan_same(const struct hlx_program *, const struct hlx_program *);
/* The cell that this one is cut from, of no other; *at: where in it, in bytes. */
uint32_t plan_root(const struct hlx_program *, uint32_t cell, uint64_t *at);
/* Does the plan choose where the cell lies? */
bool plan_places(const struct hlx_cell *);
#endif
