/*
 * model.h - a model that is there already: what sample, eval and export take.
 *
 *     a run's folder     run.ini    checkpoints/step-N/model.safetensors, the newest
 *     a model's folder   model.ini  model.safetensors                     hlxt import makes it
 */
#ifndef RUNNER_MODEL_H
#define RUNNER_MODEL_H

#include "runner/checkpoint.h"
#include "runner/weights.h"

struct model {
	struct conf conf;
	struct session session;
	const char *folder;
	struct checkpoint at; /* a run's; all 0 of a model's folder */
};

/* The INI, read whole, and of a run still that of the checkpoint's model; the plugins; no graph yet.  Close it, whatever this returns. */
int model_open(const char *folder, const struct cli_args *, struct model *out);
/* The parameters, those of graph and no others: of another wiring the file is another model's. */
int model_weights(const struct model *, const struct hlx_graph *, struct st_file *out);
/* Its tokenizer, conf.tokenizer; HLX_EIO where that is not the one a run was trained with. */
int model_tokenizer(struct model *);
/* The graphs of parts, the device, the programs, and the parameters into them. */
int model_load(struct model *, int parts, const char *device);
void model_close(struct model *);

#endif
