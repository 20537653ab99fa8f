/*
 * session.h - plugins, device and the programs of one model.
 *
 *   train    batch_size sequences, micro_batch at a time, forward, backward, optimizer
 *   eval     batch_size sequences, micro_batch at a time, forward: validation
 *   sample   one sequence, forward, its logits read back: where decoder.h cannot, and beyond its last position
 *
 * All share the weights.  Opened in three steps, so that nothing touches the device before all input was checked.
 */
#ifndef RUNNER_SESSION_H
#define RUNNER_SESSION_H

#include "runner/conf.h"

enum { SESSION_TRAIN = 1, SESSION_EVAL = 2, SESSION_SAMPLE = 4 };

struct session {
	struct hlx_registry *registry;
	struct hlx_device *device;
	struct hlx_weights *weights;
	struct hlx_graph *train_graph, *eval_graph, *sample_graph;
	struct hlx_program *train, *eval, *sample;
	const char *state_name[HLX_MAX_SLOTS];
	uint32_t n_state;
	struct decoder *decoder; /* of decoder.h; NULL until a text is wanted */
	uint64_t vocab_size; /* of the logits: their last dim */
};

int session_plugins(struct session *);
/* The INI folder/name (folder NULL: the one that args->operand names), the plugins, and what the INI says but for its wiring. */
int session_open(struct session *, struct conf *, const char *folder, const char *name, const struct cli_args *args);
/* The graphs of parts, where they are not made yet; then refuses keys nobody knows. */
int session_graphs(struct session *, struct conf *, int parts);
int session_device(struct session *, const char *select);
/* Weights, all zero, and the programs. */
int session_programs(struct session *, struct conf *);
/* The programs without memory, to ask for their plans. */
int session_plans(struct session *, struct conf *);
/* The training program anew, of another configuration of the same model, on the weights as they are. */
int session_retrain(struct session *, struct conf *);
void session_close(struct session *);

/* Any of the graphs: they have the same parameters. */
const struct hlx_graph *session_graph(const struct session *);
uint64_t session_parameters(const struct session *);
/* Bytes that hold any one of them. */
uint64_t session_room(const struct session *);
/* Bytes of the device that the weights and the programs take, decoder.h's aside. */
uint64_t session_memory(const struct session *);

#endif
