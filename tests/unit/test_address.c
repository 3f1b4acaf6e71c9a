// SPDX-License-Identifier: GPL-2.0-only
/* Names of collectors. */
#include "test.h"

#include "probe/address.c"	/* not in the library */

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

/* The parts as "host port source source_port device", absent ones as "-". */
static void assert_parts(const char *name, const char *sender, const char *expected)
{
	struct address a;
	const char *why = address_parse(&a, name, sender);
	char parts[ADDRESS_MAX + 64];

	if (why)
		fail_msg("%s: %s", name, why);
	snprintf(parts, sizeof(parts), "%s %s %s %s %s", a.host, a.port, or_none(a.source),
		 or_none(a.source_port), or_none(a.device));
	assert_string_equal(parts, expected);
}

static void assert_wrong(const char *name, const char *sender, const char *expected)
{
	struct address a;
	const char *why = address_parse(&a, name, sender);

	if (!why)
		fail_msg("%s: taken", name);
	assert_non_null(strstr(why, expected));
}

static void test_hosts(void **state)
{
	(void)state;
	assert_parts("192.0.2.1", NULL, "192.0.2.1 2055 - - -");
	assert_parts("192.0.2.1:9995", NULL, "192.0.2.1 9995 - - -");
	assert_parts("udp://flows.example.net:1", NULL, "flows.example.net 1 - - -");
	assert_parts("[2001:db8::1]", NULL, "2001:db8::1 2055 - - -");
	assert_parts("udp://[2001:db8::1]:65535", NULL, "2001:db8::1 65535 - - -");
	assert_parts("[fe80::1%lo]:99", NULL, "fe80::1%lo 99 - - -");
}

static void test_sources(void **state)
{
	(void)state;
	assert_parts("udp://198.51.100.7:2055@192.0.2.1", NULL, "198.51.100.7 2055 192.0.2.1 - -");
	assert_parts("h@192.0.2.1:5000", NULL, "h 2055 192.0.2.1 5000 -");
	assert_parts("h:1@:5000", NULL, "h 1 - 5000 -");
	assert_parts("[2001:db8::1]:7@[2001:db8::2]:8", NULL,
		     "2001:db8::1 7 2001:db8::2 8 -");
	assert_parts("[2001:db8::1]@[2001:db8::2]%eth0", NULL,
		     "2001:db8::1 2055 2001:db8::2 - eth0");
}

static void test_sender(void **state)
{
	(void)state;
	assert_parts("h", "192.0.2.1", "h 2055 192.0.2.1 - -");
	assert_parts("h%eth0", "192.0.2.1:9", "h 2055 192.0.2.1 9 eth0");
	assert_parts("h@192.0.2.3", "192.0.2.1:9", "h 2055 192.0.2.3 - -");
	assert_wrong("h", "nobody", "SOURCE");
	assert_wrong("h", "", "SOURCE");
}

static void test_devices(void **state)
{
	(void)state;
	assert_parts("192.0.2.1:1%vrf-blue", NULL, "192.0.2.1 1 - - vrf-blue");
	assert_parts("h%eth0@192.0.2.1:2", NULL, "h 2055 192.0.2.1 2 eth0");
	assert_parts("[fe80::1%lo]:9%eth0.7", NULL, "fe80::1%lo 9 - - eth0.7");
	assert_parts("h%a-name-of-15-oc", NULL, "h 2055 - - a-name-of-15-oc");
	assert_wrong("h%", NULL, "no DEV");
	assert_wrong("h%eth0%eth1", NULL, "more than one %DEV");
	assert_wrong("h%eth0:2055", NULL, "the port stands before the %");
	assert_wrong("h%a-name-of-16-bad", NULL, "longer");
}

static void test_wrong(void **state)
{
	(void)state;
	assert_wrong("", NULL, "host is empty");
	assert_wrong("2055", NULL, "a number alone");
	assert_wrong("h:000053", NULL, "the port");
	assert_wrong(":2055", NULL, "host is empty");
	assert_wrong("[]:1", NULL, "host is empty");
	assert_wrong("tcp://192.0.2.1", NULL, "udp://");
	assert_wrong("2001:db8::1", NULL, "brackets");
	assert_wrong("2001:db8::1:2055", NULL, "brackets");
	assert_wrong("[2001:db8::1", NULL, "[ADDRESS]");
	assert_wrong("[2001:db8::1]2055", NULL, "[ADDRESS]");
	assert_wrong("h:", NULL, "port");
	assert_wrong("h:0", NULL, "port");
	assert_wrong("h:65536", NULL, "port");
	assert_wrong("h:+1", NULL, "port");
	assert_wrong("h:1x", NULL, "port");
	assert_wrong("h@", NULL, "no SOURCE");
	assert_wrong("h@example.net", NULL, "not an address");
	assert_wrong("h@2001:db8::1", NULL, "brackets");
	assert_wrong("h@192.0.2.1:99999", NULL, "port");
	assert_wrong("h@192.0.2.1@192.0.2.2", NULL, "more than one @SOURCE");
	assert_wrong("h@:1@:2", NULL, "more than one @SOURCE");
}

static void test_numeric(void **state)
{
	struct address a;

	(void)state;
	assert_null(address_parse(&a, "192.0.2.1", NULL));
	assert_true(a.numeric);
	assert_null(address_parse(&a, "[2001:db8::1]:1", NULL));
	assert_true(a.numeric);
	assert_null(address_parse(&a, "flows.example.net", NULL));
	assert_false(a.numeric);
}

static void test_long(void **state)
{
	char name[ADDRESS_MAX + 1];
	struct address a;

	(void)state;
	memset(name, 'h', sizeof(name));
	name[ADDRESS_MAX] = '\0';
	assert_wrong(name, NULL, "too long");
	name[ADDRESS_MAX - 1] = '\0';
	assert_null(address_parse(&a, name, NULL));
	assert_wrong(name, "192.0.2.1", "too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_sender),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_numeric),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
