/** Routes of what belongs to no project: the user, API keys, consumption, the server itself. */
@NullMarked
package dev.coppice.control.api.account;

import org.jspecify.annotations.NullMarked;
