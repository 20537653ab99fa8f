/* paths.h - where plugins, models and corpora are looked for. */
#ifndef RUNNER_PATHS_H
#define RUNNER_PATHS_H

const char *path_plugins(void);
/* The folders of the models that come with hlx; NULL where there is but one. */
void path_models(const char *dir[2]);
/* New strings, or NULL where memory is out. */
char *path_join(const char *dir, const char *name);
char *path_parent(const char *path);
/* HLX_EIO where it is no folder, or none is there. */
int path_folder(const char *path);
/* name itself where it is absolute; else below dir (NULL: the working directory, where a name with '/' must be), below
 * other unless that is NULL, then among the models. */
int path_find(const char *name, const char *dir, const char *other, char **out);

#endif
