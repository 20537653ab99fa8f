#include "core/bench/timer.h"

#include <stdlib.h>
#include <time.h>

#define MAX_SAMPLES 64u
#define MAX_REPEATS 2048u /* of short steps: their command buffers stay some 10,000 commands long */

double hlx_timer_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double hlx_timer_median(double *seconds, unsigned n)
{
	qsort(seconds, n, sizeof(*seconds), ascending);
	return n % 2 ? seconds[n / 2] : 0.5 * (seconds[n / 2 - 1] + seconds[n / 2]);
}

/* -- one command buffer ------------------------------------------------------------------------------------ */

int hlx_timer_reserve(struct hlx_timer *t, uint32_t n)
{
	VkQueryPoolCreateInfo info = { .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_TIMESTAMP, .queryCount = n };
	VkResult r;

	if (!t->stamps || n <= t->room)
		return 0;
	vkDestroyQueryPool(t->dev->vk, t->pool, NULL);
	t->pool = VK_NULL_HANDLE;
	t->room = 0;
	if ((r = vkCreateQueryPool(t->dev->vk, &info, NULL, &t->pool)))
		return hlx_vk_fail(r, "vkCreateQueryPool");
	t->room = n;
	return 0;
}

int hlx_timer_begin(struct hlx_timer *t)
{
	VkCommandBufferBeginInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
	VkResult r = vkBeginCommandBuffer(t->cmd, &info); /* the pool's buffers are reset by it */

	if (r)
		return hlx_vk_fail(r, "vkBeginCommandBuffer");
	if (t->room)
		vkCmdResetQueryPool(t->cmd, t->pool, 0, t->room);
	return 0;
}

void hlx_timer_stamp(struct hlx_timer *t, uint32_t i)
{
	if (t->stamps)
		vkCmdWriteTimestamp(t->cmd, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, t->pool, i);
}

int hlx_timer_end(struct hlx_timer *t)
{
	VkResult r = vkEndCommandBuffer(t->cmd);

	return r ? hlx_vk_fail(r, "vkEndCommandBuffer") : 0;
}

int hlx_timer_submit(struct hlx_timer *t, double *wall)
{
	double begin = hlx_timer_now();

	HLX_TRY(hlx_device_send(t->dev, &t->cmd, 1));
	HLX_TRY(hlx_device_wait(t->dev));
	if (wall)
		*wall = hlx_timer_now() - begin - t->empty;
	if (wall && *wall < 1e-9)
		*wall = 1e-9;
	t->busy = hlx_timer_now();
	return 0;
}

int hlx_timer_read(struct hlx_timer *t, uint32_t n, double *out)
{
	uint64_t *raw = calloc(n ? n : 1, sizeof(*raw));
	VkResult r;

	if (!raw)
		return hlx_no_memory();
	r = vkGetQueryPoolResults(t->dev->vk, t->pool, 0, n, n * sizeof(*raw), raw, sizeof(*raw),
			VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
	for (uint32_t i = 0; i < n; i++)
		out[i] = (double)((raw[i] - raw[0]) & t->mask) * t->tick;
	free(raw);
	return r ? hlx_vk_fail(r, "vkGetQueryPoolResults") : 0;
}

/* -- life -------------------------------------------------------------------------------------------------- */

static bool has_stamps(struct hlx_timer *t)
{
	VkQueueFamilyProperties family[16];
	VkPhysicalDeviceProperties props;
	uint32_t n = 16, bits;

	vkGetPhysicalDeviceQueueFamilyProperties(t->dev->physical, &n, family);
	vkGetPhysicalDeviceProperties(t->dev->physical, &props);
	bits = t->dev->family < n ? family[t->dev->family].timestampValidBits : 0;
	t->tick = (double)props.limits.timestampPeriod * 1e-9;
	t->mask = bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;
	return bits && t->tick > 0 && !t->dev->info.caps.cpu;
}

static int measure_empty(struct hlx_timer *t)
{
	double wall[21];

	HLX_TRY(hlx_timer_begin(t));
	HLX_TRY(hlx_timer_end(t));
	for (unsigned i = 0; i < 21; i++)
		HLX_TRY(hlx_timer_submit(t, &wall[i]));
	t->empty = hlx_timer_median(wall, 21);
	return 0;
}

int hlx_timer_create(struct hlx_device *dev, bool quick, struct hlx_timer *out)
{
	VkCommandBufferAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = dev->pool, .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1 };
	VkResult r;

	*out = (struct hlx_timer){ .dev = dev, .warm = dev->info.caps.cpu ? 0 : quick ? 0.05 : 0.2, .sample = quick ? 0.002 : 0.02,
		.budget = quick ? 0.1 : 2, .samples = quick ? 3 : 9 };
	if ((r = vkAllocateCommandBuffers(dev->vk, &info, &out->cmd)))
		return hlx_vk_fail(r, "vkAllocateCommandBuffers");
	out->stamps = has_stamps(out);
	HLX_TRY(hlx_timer_reserve(out, 2));
	return measure_empty(out);
}

void hlx_timer_finish(struct hlx_timer *t)
{
	if (!t->dev)
		return;
	vkDestroyQueryPool(t->dev->vk, t->pool, NULL);
	if (t->cmd)
		vkFreeCommandBuffers(t->dev->vk, t->dev->pool, 1, &t->cmd);
	*t = (struct hlx_timer){ 0 };
}

/* -- steps ------------------------------------------------------------------------------------------------- */

static int record(struct hlx_timer *t, struct hlx_program *p, uint32_t first, uint32_t n, uint32_t repeats)
{
	HLX_TRY(hlx_timer_begin(t));
	hlx_timer_stamp(t, 0);
	for (uint32_t i = 0; i < repeats; i++)
		hlx_program_record(p, t->cmd, first, n, true);
	hlx_timer_stamp(t, 1);
	return hlx_timer_end(t);
}

static int sample(struct hlx_timer *t, double *out)
{
	double at[2];

	HLX_TRY(hlx_timer_submit(t, out));
	if (!t->stamps)
		return 0;
	HLX_TRY(hlx_timer_read(t, 2, at));
	*out = at[1] > 1e-9 ? at[1] : 1e-9;
	return 0;
}

int hlx_timer_steps(struct hlx_timer *t, struct hlx_program *p, uint32_t first, uint32_t n, double *out)
{
	bool was_idle = hlx_timer_now() - t->busy > 1;
	double seconds[MAX_SAMPLES], warm = t->warm > 0 && was_idle ? HLX_WARM_UP : t->warm, begin, one;
	uint32_t repeats;
	unsigned i = 0;

	for (uint32_t s = first; s < first + n; s++)
		if (p->step[s].kind == HLX_HOST_CALL)
			return hlx_fail(HLX_ENOTSUP, "%s runs on the host: only whole steps of it can be timed",
					p->node[p->step[s].node].path);
	HLX_TRY(record(t, p, first, n, 1));
	HLX_TRY(sample(t, &one));
	if (one < t->budget) /* that was the warm-up */
		HLX_TRY(sample(t, &one));
	repeats = one * MAX_REPEATS > t->sample ? (uint32_t)(t->sample / one) + 1 : MAX_REPEATS;
	if (repeats > 1)
		HLX_TRY(record(t, p, first, n, repeats));
	begin = hlx_timer_now();
	while (hlx_timer_now() - begin < warm)
		HLX_TRY(sample(t, &one));
	begin = hlx_timer_now();
	do
		HLX_TRY(sample(t, &seconds[i++]));
	while (i < t->samples && hlx_timer_now() - begin < t->budget);
	*out = hlx_timer_median(seconds, i) / repeats; /* sorts */
	t->least = seconds[0] / repeats;
	return 0;
}
