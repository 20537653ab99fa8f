/*
 * bad.c - a plugin with one fault, which the environment variable BAD names; without it, a good one.
 *
 * Tables are const in a real plugin; these are filled in when the module loads, so that one file can be wrong in every
 * way.  x, y: any shape
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hlx/plugin.h"

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	(void)host;
	node->desc[1] = node->desc[0];
	node->desc[1].view_of = 0;
	return 0;
}

static int nothing(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	(void)host, (void)node, (void)rec;
	return 0;
}

static int init_fails(const struct hlx_host *host)
{
	return host->fail(host, HLX_EINVAL, "no licence file");
}

static int prefers(const struct hlx_host *host, const struct hlx_node *node)
{
	(void)node;
	return host->caps->coopmat_rate > 1 ? 99 : -1;
}

static struct hlx_slot slots[HLX_MAX_SLOTS + 2] = { { "x", HLX_IN, 0 }, { "y", HLX_OUT, 0 } };
static const char *const words[] = { NULL };
static struct hlx_attr attrs[] = { { "size", "", HLX_INT, 0, 1, 0, 9, NULL }, { 0 } };
static struct hlx_op op = { .struct_size = sizeof(op), .name = "bad", .doc = "", .kind = HLX_LAYER, .slots = slots,
	.attrs = attrs, .attrs_size = 8, .infer = infer };
static struct hlx_impl impl = { .struct_size = sizeof(impl), .op = "bad", .name = "only", .doc = "",
	.tier = HLX_PORTABLE, .forward = nothing };
static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &impl, NULL };

struct hlx_plugin hlx_plugin __attribute__((visibility("default"))) = { HLX_ABI_MAJOR, HLX_ABI_MINOR,
	sizeof(struct hlx_plugin), "bad", "1", "MIT", NULL, ops, impls };

static void too_many_slots(void)
{
	for (int i = 2; i <= HLX_MAX_SLOTS; i++)
		slots[i] = (struct hlx_slot){ "more", HLX_IN, HLX_OPTIONAL };
}

#define FAULT(text, code) \
	if (!strcmp(bad, text)) { \
		code; \
	}

static __attribute__((constructor)) void spoil(void)
{
	const char *bad = getenv("BAD") ? getenv("BAD") : "";

	FAULT("abi_major", hlx_plugin.abi_major++; hlx_plugin.init = init_fails)
	FAULT("abi_minor", hlx_plugin.abi_minor++)
	FAULT("plugin_size", hlx_plugin.struct_size -= 8)
	FAULT("op_size", op.struct_size = offsetof(struct hlx_op, cases))
	FAULT("impl_size", impl.struct_size = 0)
	FAULT("init", hlx_plugin.init = init_fails)
	FAULT("op_name", op.name = NULL)
	FAULT("op_kind", op.kind = (enum hlx_kind)99)
	FAULT("no_infer", op.infer = NULL)
	FAULT("no_slots", op.slots = NULL)
	FAULT("empty_slots", slots[0].name = NULL)
	FAULT("slot_role", slots[1].role = (enum hlx_role)7)
	FAULT("too_many_slots", too_many_slots())
	FAULT("attr_end", attrs[0].offset = 8)
	FAULT("attr_wraps", attrs[0].offset = SIZE_MAX - 7)
	FAULT("attr_unaligned", op.attrs_size = 16; attrs[0].offset = 4)
	FAULT("attr_type", attrs[0].type = (enum hlx_attr_type)9)
	FAULT("attr_no_words", attrs[0].type = HLX_ENUM)
	FAULT("attr_empty_words", attrs[0].type = HLX_ENUM; attrs[0].names = words)
	FAULT("attrs_huge", op.attrs_size = 1u << 20)
	FAULT("no_forward", impl.forward = NULL)
	FAULT("no_impl_name", impl.name = "")
	FAULT("tier", impl.tier = (enum hlx_tier)0)
	FAULT("other_slots", op.name = "scale"; slots[1].name = "z")
	FAULT("other_flags", op.name = "scale"; slots[1].flags = HLX_NOGRAD)
	FAULT("same_impl", impl.op = "scale"; impl.name = "plain")
	FAULT("better", impl.op = "scale"; impl.name = "better"; impl.priority = 7)
	FAULT("picky", impl.op = "scale"; impl.name = "picky"; impl.prefers = prefers)
	FAULT("worse", impl.op = "scale"; impl.name = "worse"; impl.priority = -7)
	FAULT("early", op.struct_size = offsetof(struct hlx_op, bench)) /* made when there was no more */
	FAULT("early_impl", impl.struct_size = offsetof(struct hlx_impl, finishes); impl.yields = 3; impl.unread = 1)
	FAULT("device_tier", impl.op = "scale"; impl.name = "fast"; impl.priority = 99; impl.tier = HLX_DEVICE)
}
