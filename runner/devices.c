/* devices.c - hlxt devices: what Vulkan offers, and what hlx would use of it. */
#include "runner/cli.h"

static void print_device(const struct hlx_device_info *d)
{
	printf("%c %u  %s (%s)\n", d->chosen ? '*' : ' ', d->index, d->name, d->type);
	printf("     Vulkan %u.%u.%u, %s, %.1f GiB\n", d->api >> 22 & 0x7f, d->api >> 12 & 0x3ff, d->api & 0xfff, d->driver,
			(double)d->memory / 1073741824.0);
	printf("     %s\n", d->uses);
}

static int devices(const struct cli_args *args)
{
	struct hlx_device_info list[CLI_DEVICES];
	int n = cli_list_devices(list);

	(void)args;
	CLI_TRY(n);
	if (!n)
		return hlx_fail(HLX_EDEVICE, "no Vulkan device: install a driver (mesa-vulkan-drivers has one for the CPU)");
	for (int i = 0; i < n; i++)
		print_device(&list[i]);
	return 0;
}

const struct command command_devices = {
	"devices", NULL, "list the Vulkan devices",
	"* marks what is taken by default. --device of other commands takes a number or a part of a name.\n\n"
	"Mesa's lavapipe, the driver for the CPU, is asked for 512 bits where the CPU and its release are fit for them;\n"
	"LP_NATIVE_VECTOR_WIDTH=256 in the environment takes that back.",
	"hlxt devices\n",
	{ 0 }, devices, NULL
};
