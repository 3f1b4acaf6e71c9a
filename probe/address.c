// SPDX-License-Identifier: GPL-2.0-only
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"

#define DEFAULT_PORT	"2055"
#define SCHEME		"udp://"

static bool is_port(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && !*end && end - text <= 5 && n >= 1 && n <= 65535;
}

/* The system would take it for an IPv4 address, which nobody means. */
static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* An address and not a name, so that this asks nobody. */
static bool is_address(const char *text)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *list;

	if (getaddrinfo(text, NULL, &hints, &list))
		return false;
	freeaddrinfo(list);
	return true;
}

/*
 * End @part where the next one begins, at an @ or % that is not inside brackets;
 * returns that character and moves @rest behind it, '\0' at the end of the text.
 */
static char cut(char *part, char **rest)
{
	char *end = part, mark;

	if (*part == '[' && strchr(part, ']'))
		end = strchr(part, ']');
	end += strcspn(end, "@%");
	mark = *end;
	*end = '\0';
	*rest = mark ? end + 1 : end;
	return mark;
}

/* HOST[:PORT] or [V6][:PORT]; *host or *port is NULL when it is not there. */
static const char *split_port(char *part, const char **host, const char **port)
{
	char *colon;

	*host = part;
	*port = NULL;
	if (*part == '[') {
		colon = strchr(part, ']');
		if (!colon || (colon[1] && colon[1] != ':'))
			return "not [ADDRESS]:PORT";
		*host = part + 1;
		*colon++ = '\0';
	} else {
		colon = strchr(part, ':');
		if (colon && strchr(colon + 1, ':'))
			return "an IPv6 address goes in brackets: [ADDRESS]:PORT";
	}
	if (colon && *colon) {
		*colon = '\0';
		*port = colon + 1;
		if (!is_port(*port))
			return "the port is not a number from 1 to 65535";
	}
	if (is_number(*host))
		return "a number alone is no address; a port stands behind a colon";
	if (!**host)
		*host = NULL;
	return NULL;
}

static const char *take_source(struct address *a, char *part)
{
	const char *why;

	if (a->source || a->source_port)
		return "more than one @SOURCE";
	why = split_port(part, &a->source, &a->source_port);
	if (why)
		return why;
	if (!a->source && !a->source_port)
		return "no SOURCE after the @";
	if (a->source && !is_address(a->source))
		return "the SOURCE after the @ is not an address";
	return NULL;
}

static const char *take_device(struct address *a, char *part)
{
	if (a->device)
		return "more than one %DEV";
	if (!*part)
		return "no DEV after the %";
	if (strchr(part, ':'))		/* in no device's name */
		return "the port stands before the %";
	if (strlen(part) >= IFNAMSIZ)
		return "the DEV after the % is longer than a device's name can be";
	a->device = part;
	return NULL;
}

const char *address_parse(struct address *a, const char *name, const char *sender)
{
	bool own = !sender || strchr(name, '@');
	char *part = a->text, *rest;
	const char *why;
	char mark;
	int len;

	*a = (struct address){ .port = DEFAULT_PORT };
	if (!strncmp(name, SCHEME, strlen(SCHEME)))
		name += strlen(SCHEME);
	else if (strstr(name, "://"))
		return "only " SCHEME " is supported";
	len = snprintf(a->text, sizeof(a->text), "%s%s%s", name, own ? "" : "@", own ? "" : sender);
	if (len >= (int)sizeof(a->text))
		return "the name is too long";
	mark = cut(part, &rest);
	why = split_port(part, &a->host, &a->port);
	while (!why && mark) {
		bool device = mark == '%';

		part = rest;
		mark = cut(part, &rest);
		why = device ? take_device(a, part) : take_source(a, part);
	}
	if (why)
		return why;
	if (!a->port)
		a->port = DEFAULT_PORT;
	if (!a->host)
		return "the host is empty";
	a->numeric = is_address(a->host);
	return NULL;
}
