/* noplugin.c - a shared object that is no plugin. */
int hlx_plugout(void);

int hlx_plugout(void)
{
	return 0;
}
