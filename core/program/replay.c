/* replay.c - steps become descriptor sets and command buffers, once; running is submitting them. */
#include <stdlib.h>
#include <string.h>

#include "core/numerics.h"
#include "core/program/program.h"

#define STEPS_PER_COMMAND_BUFFER 128u /* short enough that a wait sees progress, long enough to cost nothing */

static const VkDescriptorType descriptor_type[] = { [HLX_BIND_SSBO] = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
	[HLX_BIND_UBO] = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, [HLX_BIND_TEXEL] = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER };

static int create_pool(struct hlx_program *p)
{
	VkDescriptorPoolSize size[4] = { { 0 } };
	VkDescriptorPoolCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = p->plan.dispatches };
	uint32_t kinds = 0, count[4] = { 0 };
	VkResult r;

	for (uint32_t i = 0; i < p->n_steps; i++)
		for (uint32_t j = 0; p->step[i].kind == HLX_DISPATCH && j < p->step[i].n_access; j++)
			count[p->step[i].pipeline->reflect.binding[j].kind]++;
	for (uint32_t k = HLX_BIND_SSBO; k <= HLX_BIND_TEXEL; k++)
		if (count[k])
			size[kinds++] = (VkDescriptorPoolSize){ descriptor_type[k], count[k] };
	info.poolSizeCount = kinds;
	info.pPoolSizes = size;
	if (!kinds)
		return 0;
	r = vkCreateDescriptorPool(p->dev->vk, &info, NULL, &p->descriptors);
	return r ? hlx_vk_fail(r, "vkCreateDescriptorPool") : 0;
}

/*
 * lavapipe (22.3.6) compiles a kernel anew, 0.4 s, where bits 8 to 15 of a texel buffer's size are 0 and were not before, or
 * the other way round: it takes them for a mip level.  So they never are: behind every cell there are HLX_ALIGN bytes more.
 */
static uint64_t view_bytes(const struct hlx_program *p, const struct hlx_access *a)
{
	bool more = p->dev->info.caps.cpu && !p->dev->messenger && !(a->range & 0xff00) &&
		(a->range + HLX_ALIGN) / 16 <= p->dev->info.caps.max_texels;

	return a->range + (more ? HLX_ALIGN : 0);
}

static int create_view(struct hlx_program *p, const struct hlx_access *a, VkBufferView *out)
{
	uint64_t offset;
	const struct hlx_memory *m = hlx_cell_memory(p, a->cell, &offset);
	VkBufferViewCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO, .buffer = m->buffer,
		.format = VK_FORMAT_R32G32B32A32_SFLOAT, .offset = offset + a->offset, .range = view_bytes(p, a) };
	VkResult r = vkCreateBufferView(p->dev->vk, &info, NULL, out);

	return r ? hlx_vk_fail(r, "vkCreateBufferView") : 0;
}

static int write_set(struct hlx_program *p, struct hlx_prog_step *s)
{
	VkDescriptorSetAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = p->descriptors, .descriptorSetCount = 1, .pSetLayouts = &s->pipeline->set_layout };
	VkWriteDescriptorSet write[HLX_MAX_BINDINGS];
	VkDescriptorBufferInfo buffer[HLX_MAX_BINDINGS];
	VkResult r = vkAllocateDescriptorSets(p->dev->vk, &info, &s->set);

	if (r)
		return hlx_vk_fail(r, "vkAllocateDescriptorSets");
	for (uint32_t i = 0; i < s->n_access; i++) {
		const struct hlx_access *a = &s->access[i];
		uint64_t offset;
		const struct hlx_memory *m = hlx_cell_memory(p, a->cell, &offset);
		buffer[i] = (VkDescriptorBufferInfo){ m->buffer, offset + a->offset, a->range };
		write[i] = (VkWriteDescriptorSet){ .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = s->set,
			.dstBinding = s->pipeline->reflect.binding[i].binding, .descriptorCount = 1,
			.descriptorType = descriptor_type[s->pipeline->reflect.binding[i].kind],
			.pBufferInfo = a->texel ? NULL : &buffer[i], .pTexelBufferView = a->texel ? &s->view[i] : NULL };
		if (a->texel)
			HLX_TRY(create_view(p, a, &s->view[i]));
	}
	vkUpdateDescriptorSets(p->dev->vk, s->n_access, write, 0, NULL);
	return 0;
}

/* -- recording --------------------------------------------------------------------------------------------- */

static void barrier(VkCommandBuffer cmd)
{
	const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
	const VkMemoryBarrier all = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_UNIFORM_READ_BIT |
			VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT };

	vkCmdPipelineBarrier(cmd, stages, stages, 0, 1, &all, 0, NULL, 0, NULL);
}

static void barrier_to_host(VkCommandBuffer cmd)
{
	const VkMemoryBarrier all = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT };

	vkCmdPipelineBarrier(cmd, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
			VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &all, 0, NULL, 0, NULL);
}

static void record_step(struct hlx_program *p, VkCommandBuffer cmd, const struct hlx_prog_step *s)
{
	uint64_t to, from;
	const struct hlx_memory *m;

	if (s->barrier)
		barrier(cmd);
	if (s->kind == HLX_DISPATCH) {
		vkCmdBindPipeline(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, s->pipeline->vk);
		vkCmdBindDescriptorSets(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, s->pipeline->layout, 0, 1, &s->set, 0, NULL);
		if (s->push_bytes)
			vkCmdPushConstants(cmd, s->pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
					(s->push_bytes + 3) / 4 * 4, s->push);
		vkCmdDispatch(cmd, s->groups[0], s->groups[1], s->groups[2]);
		return;
	}
	m = hlx_cell_memory(p, s->access[0].cell, &to);
	if (s->kind == HLX_FILL) {
		vkCmdFillBuffer(cmd, m->buffer, to + s->access[0].offset, s->access[0].range, s->word);
	} else {
		const struct hlx_memory *src = hlx_cell_memory(p, s->access[1].cell, &from);
		vkCmdCopyBuffer(cmd, src->buffer, m->buffer, 1, &(VkBufferCopy){ from + s->access[1].offset,
				to + s->access[0].offset, s->access[0].range });
	}
}

void hlx_program_record(struct hlx_program *p, VkCommandBuffer cmd, uint32_t first, uint32_t n, bool wait)
{
	if (wait)
		barrier(cmd);
	for (uint32_t i = first; i < first + n; i++)
		record_step(p, cmd, &p->step[i]);
}

static int begin(struct hlx_program *p, uint32_t first)
{
	VkCommandBufferAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = p->dev->pool, .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1 };
	VkCommandBufferBeginInfo start = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
	VkCommandBuffer *cmd = hlx_grow(p->cmd, p->n_cmds, sizeof(*cmd));
	uint32_t *firsts;
	VkResult r;

	if (!cmd)
		return HLX_ENOMEM;
	p->cmd = cmd;
	if (!(firsts = hlx_grow(p->cmd_first, p->n_cmds, sizeof(*firsts))))
		return HLX_ENOMEM;
	p->cmd_first = firsts;
	if ((r = vkAllocateCommandBuffers(p->dev->vk, &info, &cmd[p->n_cmds])))
		return hlx_vk_fail(r, "vkAllocateCommandBuffers");
	firsts[p->n_cmds] = first;
	if ((r = vkBeginCommandBuffer(cmd[p->n_cmds++], &start)))
		return hlx_vk_fail(r, "vkBeginCommandBuffer");
	barrier(cmd[p->n_cmds - 1]); /* after whatever the last submission wrote */
	return 0;
}

static int end(struct hlx_program *p)
{
	VkResult r;

	barrier_to_host(p->cmd[p->n_cmds - 1]);
	r = vkEndCommandBuffer(p->cmd[p->n_cmds - 1]);
	return r ? hlx_vk_fail(r, "vkEndCommandBuffer") : 0;
}

static int record_all(struct hlx_program *p)
{
	bool open = false;
	uint32_t in_buffer = 0;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		bool host = p->step[i].kind == HLX_HOST_CALL, turn = i && p->step[i].phase != p->step[i - 1].phase;
		if (open && (host || turn || in_buffer == STEPS_PER_COMMAND_BUFFER)) {
			HLX_TRY(end(p));
			open = false;
		}
		if (host)
			continue;
		if (!open) {
			HLX_TRY(begin(p, i));
			open = true;
			in_buffer = 0;
		}
		record_step(p, p->cmd[p->n_cmds - 1], &p->step[i]);
		in_buffer++;
	}
	return open ? end(p) : 0;
}

int hlx_program_materialize(struct hlx_program *p)
{
	HLX_TRY(hlx_program_compile(p));
	HLX_TRY(create_pool(p));
	for (uint32_t i = 0; i < p->n_steps; i++)
		if (p->step[i].kind == HLX_DISPATCH)
			HLX_TRY(write_set(p, &p->step[i]));
	HLX_TRY(record_all(p));
	if (!(p->queue = calloc(p->n_cmds + 1, sizeof(*p->queue))))
		return hlx_no_memory();
	return hlx_device_complaint(p->dev);
}

void hlx_program_release(struct hlx_program *p)
{
	for (uint32_t i = 0; i < p->n_steps; i++)
		for (uint32_t j = 0; j < p->step[i].n_access; j++)
			vkDestroyBufferView(p->dev->vk, p->step[i].view[j], NULL);
	vkDestroyDescriptorPool(p->dev->vk, p->descriptors, NULL);
	if (p->n_cmds)
		vkFreeCommandBuffers(p->dev->vk, p->dev->pool, p->n_cmds, p->cmd);
	free(p->cmd);
	free(p->queue);
	p->queue = NULL;
	free(p->cmd_first);
}

/* -- running ----------------------------------------------------------------------------------------------- */

/* Fields of the step that every kernel may read, and each op's own scalars behind a copy of them. */
int hlx_replay_write(struct hlx_program *p, const struct hlx_step *step)
{
	uint64_t at;
	const struct hlx_memory *m = hlx_cell_memory(p, p->steps_cell, &at);

	memcpy(m->map + at, step, sizeof(*step));
	for (uint32_t i = 0; i < p->n_nodes; i++) {
		const struct hlx_prog_node *n = &p->node[i];
		unsigned char scalars[HLX_STEP_ROOM] = { 0 };
		if (!n->impl || !n->impl->step)
			continue;
		if (n->impl->step(&n->pub, step, scalars, sizeof(scalars)) > sizeof(scalars))
			return hlx_fail(HLX_EPLUGIN, "%s (%s/%s): step() wrote past its %u bytes", n->path, n->op->name,
					n->impl->name, HLX_STEP_ROOM);
		memcpy(m->map + at + n->step_offset, step, sizeof(*step));
		memcpy(m->map + at + n->step_offset + sizeof(*step), scalars, sizeof(scalars));
	}
	return 0;
}

struct borrowed { /* a window of device memory, as the host sees it */
	const struct hlx_memory *memory;
	uint64_t at;
	void *data;
};

static int borrow(struct hlx_program *p, const struct hlx_access *a, struct borrowed *b)
{
	b->memory = hlx_cell_memory(p, a->cell, &b->at);
	b->at += a->offset;
	if (b->memory->map) {
		b->data = b->memory->map + b->at;
		return 0;
	}
	if (!(b->data = malloc(a->range)))
		return hlx_no_memory();
	return hlx_memory_read(p->dev, b->memory, b->at, a->range, b->data);
}

static int give_back(struct hlx_program *p, const struct hlx_access *a, struct borrowed *b, bool write)
{
	int status = 0;

	if (!b->memory || b->memory->map || !b->data)
		return 0;
	if (write && a->write)
		status = hlx_memory_write(p->dev, b->memory, b->at, a->range, b->data);
	free(b->data);
	return status;
}

static int call_host(struct hlx_program *p, const struct hlx_prog_step *s, const struct hlx_step *step)
{
	struct borrowed b[HLX_MAX_BINDINGS] = { { 0 } };
	void *data[HLX_MAX_BINDINGS];
	struct hlx_fpenv env;
	int status = 0, back;

	for (uint32_t i = 0; i < s->n_access && status >= 0; i++) {
		status = borrow(p, &s->access[i], &b[i]);
		data[i] = b[i].data;
	}
	if (status >= 0) {
		hlx_fpenv_enter(&env);
		if (s->fn(s->ctx, data, step) < 0)
			status = hlx_prefix(HLX_EPLUGIN, "%s: host call: ", p->node[s->node].path);
		hlx_fpenv_restore(&env);
	}
	for (uint32_t i = 0; i < s->n_access; i++)
		if ((back = give_back(p, &s->access[i], &b[i], status >= 0)) < 0)
			status = back;
	return status;
}

int hlx_replay_send(struct hlx_program *p)
{
	uint32_t n = p->n_queued;

	p->n_queued = 0;
	return hlx_device_send(p->dev, p->queue, n);
}

int hlx_replay_submit(struct hlx_program *p)
{
	HLX_TRY(hlx_replay_send(p));
	return hlx_device_wait(p->dev);
}

int hlx_replay_phase(struct hlx_program *p, uint8_t phase, const struct hlx_step *step)
{
	uint32_t cmd = 0;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		bool begins = cmd < p->n_cmds && p->cmd_first[cmd] == i;
		if (p->step[i].phase == phase && begins)
			p->queue[p->n_queued++] = p->cmd[cmd];
		cmd += begins;
		if (p->step[i].phase != phase || p->step[i].kind != HLX_HOST_CALL)
			continue;
		HLX_TRY(hlx_replay_submit(p));
		HLX_TRY(call_host(p, &p->step[i], step));
	}
	return 0;
}

int hlx_program_start(struct hlx_program *p, const struct hlx_step *step)
{
	if (!p->weights)
		return hlx_fail(HLX_EINVAL, "the program is a plan only: it has no memory");
	HLX_TRY(hlx_device_wait(p->dev)); /* what the kernels read is about to change */
	p->n_queued = 0;                  /* of a run that failed */
	return hlx_passes_start(p, step);
}

int hlx_program_wait(struct hlx_program *p)
{
	return hlx_device_wait(p->dev);
}

int hlx_program_run(struct hlx_program *p, const struct hlx_step *step)
{
	HLX_TRY(hlx_program_start(p, step));
	return hlx_program_wait(p);
}
