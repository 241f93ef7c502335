/** The machinery of the REST API: authentication, routes, JSON, errors, the audit log and the OpenAPI document. */
@NullMarked
package dev.coppice.control.api.server;

import org.jspecify.annotations.NullMarked;
