/* commands.c - steps become descriptor sets and command buffers, once for each lane: a run under way has its own. */
#include <stdlib.h>
#include <string.h>

#include "core/program/program.h"

static const VkDescriptorType descriptor_type[] = { [HLX_BIND_SSBO] = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
	[HLX_BIND_UBO] = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, [HLX_BIND_TEXEL] = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER };

static int create_pool(struct hlx_program *p)
{
	VkDescriptorPoolSize size[4] = { { 0 } };
	VkDescriptorPoolCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = p->plan.dispatches * hlx_program_lanes(p) };
	uint32_t kinds = 0, count[4] = { 0 };
	VkResult r;

	for (uint32_t i = 0; i < p->n_steps; i++)
		for (uint32_t j = 0; p->step[i].kind == HLX_DISPATCH && j < p->step[i].n_access; j++)
			count[p->step[i].pipeline->reflect.binding[j].kind]++;
	for (uint32_t k = HLX_BIND_SSBO; k <= HLX_BIND_TEXEL; k++)
		if (count[k])
			size[kinds++] = (VkDescriptorPoolSize){ descriptor_type[k], count[k] * hlx_program_lanes(p) };
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

/* Of step i. */
static int write_set(struct hlx_program *p, struct hlx_lane *lane, uint32_t i)
{
	const struct hlx_prog_step *s = &p->step[i];
	VkDescriptorSetAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = p->descriptors, .descriptorSetCount = 1, .pSetLayouts = &s->pipeline->set_layout };
	VkWriteDescriptorSet write[HLX_MAX_BINDINGS];
	VkDescriptorBufferInfo buffer[HLX_MAX_BINDINGS];
	VkResult r = vkAllocateDescriptorSets(p->dev->vk, &info, &lane->set[i]);

	if (r)
		return hlx_vk_fail(r, "vkAllocateDescriptorSets");
	for (uint32_t k = 0; k < s->n_access; k++) {
		const struct hlx_access *a = &s->access[k];
		uint64_t offset;
		const struct hlx_memory *m = hlx_cell_memory(p, a->cell, &offset);
		buffer[k] = (VkDescriptorBufferInfo){ m->buffer, offset + a->offset, a->range };
		write[k] = (VkWriteDescriptorSet){ .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = lane->set[i],
			.dstBinding = s->pipeline->reflect.binding[k].binding, .descriptorCount = 1,
			.descriptorType = descriptor_type[s->pipeline->reflect.binding[k].kind],
			.pBufferInfo = a->texel ? NULL : &buffer[k], .pTexelBufferView = a->texel ? &lane->view[i][k] : NULL };
		if (a->texel)
			HLX_TRY(create_view(p, a, &lane->view[i][k]));
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

static void record_step(struct hlx_program *p, VkCommandBuffer cmd, uint32_t i)
{
	const struct hlx_prog_step *s = &p->step[i];
	uint64_t to, from;
	const struct hlx_memory *m;

	if (s->barrier)
		barrier(cmd);
	if (s->kind == HLX_DISPATCH) {
		vkCmdBindPipeline(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, s->pipeline->vk);
		vkCmdBindDescriptorSets(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, s->pipeline->layout, 0, 1,
				&p->lane[p->next].set[i], 0, NULL);
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
		record_step(p, cmd, i);
}

/*
 * The end of a command buffer is what a wait sees as progress, and what a driver's watchdog counts from; it costs 22 us on
 * an H200, where tiny's 230 steps take 1,750.
 */
static uint32_t steps_at_most(const struct hlx_device *dev)
{
	return strcmp(dev->info.type, "discrete") ? 128 : 1024;
}

/* The steps that command buffers begin with: a host call comes between two, and a phase begins with one. */
static int split(struct hlx_program *p)
{
	const uint32_t most = steps_at_most(p->dev);

	for (uint32_t i = 0, in_buffer = 0; i < p->n_steps; i++) {
		const struct hlx_prog_step *s = &p->step[i];
		uint32_t *grown;
		if (s->kind == HLX_HOST_CALL)
			continue;
		if (i && s[-1].kind != HLX_HOST_CALL && s[-1].phase == s->phase && in_buffer++ < most)
			continue;
		if (!(grown = hlx_grow(p->cmd_first, p->n_cmds, sizeof(*grown))))
			return HLX_ENOMEM;
		p->cmd_first = grown;
		grown[p->n_cmds++] = i;
		in_buffer = 1;
	}
	return 0;
}

static int record_one(struct hlx_program *p, VkCommandBuffer cmd, uint32_t first, uint32_t end)
{
	VkCommandBufferBeginInfo start = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
	VkResult r = vkBeginCommandBuffer(cmd, &start);

	if (r)
		return hlx_vk_fail(r, "vkBeginCommandBuffer");
	barrier(cmd); /* after whatever was submitted before: the last command buffer, or the run before this one */
	for (uint32_t i = first; i < end && p->step[i].kind != HLX_HOST_CALL; i++)
		record_step(p, cmd, i);
	barrier_to_host(cmd);
	r = vkEndCommandBuffer(cmd);
	return r ? hlx_vk_fail(r, "vkEndCommandBuffer") : 0;
}

static int record_all(struct hlx_program *p, struct hlx_lane *lane)
{
	VkCommandBufferAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = p->dev->pool, .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = p->n_cmds };
	VkCommandBuffer *cmd;
	VkResult r;

	if (!p->n_cmds)
		return 0;
	if (!(cmd = calloc(p->n_cmds, sizeof(*cmd))))
		return hlx_no_memory();
	if ((r = vkAllocateCommandBuffers(p->dev->vk, &info, cmd))) {
		free(cmd);
		return hlx_vk_fail(r, "vkAllocateCommandBuffers");
	}
	lane->cmd = cmd;
	for (uint32_t i = 0; i < p->n_cmds; i++)
		HLX_TRY(record_one(p, cmd[i], p->cmd_first[i], i + 1 < p->n_cmds ? p->cmd_first[i + 1] : p->n_steps));
	return 0;
}

/* The lane p->next. */
static int make_lane(struct hlx_program *p)
{
	struct hlx_lane *lane = &p->lane[p->next];

	lane->set = calloc((size_t)p->n_steps + 1, sizeof(*lane->set));
	lane->view = calloc((size_t)p->n_steps + 1, sizeof(*lane->view));
	if (!lane->set || !lane->view)
		return hlx_no_memory();
	for (uint32_t i = 0; i < p->n_steps; i++)
		if (p->step[i].kind == HLX_DISPATCH)
			HLX_TRY(write_set(p, lane, i));
	return record_all(p, lane);
}

int hlx_program_materialize(struct hlx_program *p)
{
	HLX_TRY(hlx_program_compile(p));
	HLX_TRY(create_pool(p));
	HLX_TRY(split(p));
	p->lane = calloc(hlx_program_lanes(p), sizeof(*p->lane));
	p->queue = calloc((size_t)p->n_cmds + 1, sizeof(*p->queue));
	if (!p->lane || !p->queue)
		return hlx_no_memory();
	for (p->next = 0; p->next < hlx_program_lanes(p); p->next++)
		HLX_TRY(make_lane(p));
	p->next = 0;
	return hlx_device_complaint(p->dev);
}

static void release_lane(struct hlx_program *p, struct hlx_lane *lane)
{
	for (uint32_t i = 0; lane->view && i < p->n_steps; i++)
		for (uint32_t k = 0; k < p->step[i].n_access; k++)
			vkDestroyBufferView(p->dev->vk, lane->view[i][k], NULL);
	if (lane->cmd)
		vkFreeCommandBuffers(p->dev->vk, p->dev->pool, p->n_cmds, lane->cmd);
	free(lane->set);
	free(lane->view);
	free(lane->cmd);
}

void hlx_program_release(struct hlx_program *p)
{
	for (uint32_t i = 0; p->lane && i < hlx_program_lanes(p); i++)
		release_lane(p, &p->lane[i]);
	vkDestroyDescriptorPool(p->dev->vk, p->descriptors, NULL);
	free(p->lane);
	free(p->queue);
	free(p->cmd_first);
	p->lane = NULL;
	p->queue = NULL;
	p->cmd_first = NULL;
	p->n_cmds = 0;
	p->descriptors = VK_NULL_HANDLE;
}
