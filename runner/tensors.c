#include "runner/tensors.h"

#include "core/numerics.h"
#include "runner/chain.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEAD (16u << 20)

static uint64_t record_bytes(const struct tensors *t)
{
	return 8 * (uint64_t)t->count;
}

static int copy_names(struct tensors *t, char *const *names, size_t count)
{
	if (!(t->name = calloc(count + 1, sizeof(*t->name))))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	for (; t->count < count; t->count++)
		if (!(t->name[t->count] = strdup(names[t->count])))
			return hlx_fail(HLX_ENOMEM, "out of memory");
	return 0;
}

static int write_head(struct tensors *t)
{
	json_t *list = json_array();
	json_t *head = json_pack("{s:i, s:o}", "numerics", NUMERICS, "sums", list);
	char *text;
	int status;

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(list, json_string(t->name[i]));
	text = head && json_array_size(list) == t->count ? json_dumps(head, 0) : NULL;
	status = text ? journal_append(&t->file, text, strlen(text)) : hlx_fail(HLX_ENOMEM, "out of memory");
	if (status >= 0)
		status = journal_append(&t->file, "\n", 1);
	t->head = t->file.size;
	t->steps = t->count ? 0 : UINT64_MAX;
	free(text);
	json_decref(head);
	return status;
}

int tensors_create(const struct folder *f, char *const *names, size_t count, struct tensors *t)
{
	*t = (struct tensors){ .file.fd = -1 };
	CLI_TRY(copy_names(t, names, count));
	CLI_TRY(journal_open(f, "tensors", &t->file));
	CLI_TRY(journal_cut(&t->file, 0));
	return write_head(t);
}

int tensors_append(struct tensors *t, uint64_t step, const uint64_t *sums)
{
	if (!t->count || step + 1 == t->steps)
		return 0;
	if (step != t->steps)
		return hlx_fail(HLX_EOUTPUT, "%s: step %" PRIu64 " after %" PRIu64 " records", t->file.path, step, t->steps);
	CLI_TRY(journal_append(&t->file, (const char *)sums, record_bytes(t))); /* hosts are little-endian: hlx/math.h */
	t->steps++;
	return 0;
}

/* ---- reading ---- */

static int damaged(const struct tensors *t)
{
	return hlx_fail(HLX_EIO, "%s: its first line is damaged", t->file.path);
}

static int parse_head(struct tensors *t, const char *text, size_t size)
{
	json_t *head = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL), *numerics, *list, *name;
	size_t i;
	int status = 0;

	numerics = json_object_get(head, "numerics");
	list = json_object_get(head, "sums");
	if (!json_is_integer(numerics) || !json_is_array(list) || json_object_size(head) != 2)
		status = damaged(t);
	else if (json_integer_value(numerics) != NUMERICS)
		status = hlx_fail(HLX_EIO, "%s: made with numerics %lld, this hlxt computes numerics %d", t->file.path,
				(long long)json_integer_value(numerics), NUMERICS);
	else if (!(t->name = calloc(json_array_size(list) + 1, sizeof(*t->name))))
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	else
		json_array_foreach(list, i, name)
			if (!json_is_string(name) || !(t->name[t->count++] = strdup(json_string_value(name)))) {
				status = damaged(t);
				break;
			}
	json_decref(head);
	return status;
}

static int read_head(struct tensors *t)
{
	uint64_t room = t->file.size < MAX_HEAD ? t->file.size : MAX_HEAD;
	char *text = malloc(room + 1), *end;
	int status = text ? journal_read(&t->file, 0, room, text) : hlx_fail(HLX_ENOMEM, "out of memory");

	end = status >= 0 ? memchr(text, '\n', room) : NULL;
	if (status >= 0)
		status = end ? parse_head(t, text, (size_t)(end - text)) : damaged(t);
	if (status >= 0) {
		t->head = (uint64_t)(end + 1 - text);
		t->steps = t->count ? (t->file.size - t->head) / record_bytes(t) : UINT64_MAX;
	}
	free(text);
	return status;
}

int tensors_view(const char *folder, struct tensors *t)
{
	*t = (struct tensors){ .file.fd = -1 };
	CLI_TRY(journal_view(folder, "tensors", &t->file));
	return read_head(t);
}

int tensors_reopen(const struct folder *f, char *const *names, size_t count, uint64_t step, struct tensors *t)
{
	bool same;

	*t = (struct tensors){ .file.fd = -1 };
	CLI_TRY(journal_open(f, "tensors", &t->file));
	CLI_TRY(read_head(t));
	same = t->count == count;
	for (size_t i = 0; same && i < count; i++)
		same = !strcmp(t->name[i], names[i]);
	if (!same)
		return hlx_fail(HLX_EIO, "%s: is of another model", t->file.path);
	if (!count)
		return 0;
	if (t->steps <= step)
		return hlx_fail(HLX_EIO, "%s: has %" PRIu64 " steps, the checkpoint is of step %" PRIu64, t->file.path, t->steps, step);
	t->steps = step + 1;
	return journal_cut(&t->file, t->head + t->steps * record_bytes(t));
}

int tensors_read(const struct tensors *t, uint64_t step, uint64_t *sums)
{
	if (step >= t->steps)
		return hlx_fail(HLX_EIO, "%s: is cut short: step %" PRIu64 " is not in it", t->file.path, step);
	return journal_read(&t->file, t->head + step * record_bytes(t), record_bytes(t), (char *)sums);
}

uint64_t tensors_state(const uint64_t *sums, size_t count)
{
	uint64_t state = 0;

	for (size_t i = 0; i < count; i++)
		state = hlx_hash_add(state, sums[i]);
	return state;
}

void tensors_close(struct tensors *t)
{
	journal_close(&t->file);
	for (size_t i = 0; t->name && i < t->count; i++)
		free(t->name[i]);
	free(t->name);
	*t = (struct tensors){ .file.fd = -1 };
}
