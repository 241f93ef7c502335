/**
 * The assembly: one process that starts the page service, the computes, the control plane and the proxy in order, and
 * stops them in the reverse order. What must stay true: an orderly end suspends every compute; an unorderly one loses
 * nothing. It is the only place that knows every module, and holds no logic of theirs.
 */
@NullMarked
package dev.coppice.server;

import org.jspecify.annotations.NullMarked;
