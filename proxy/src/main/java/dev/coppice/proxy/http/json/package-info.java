/** JSON as the HTTP endpoint writes it: text and values of Postgres. */
@NullMarked
package dev.coppice.proxy.http.json;

import org.jspecify.annotations.NullMarked;
