import { children } from './children.ts';
import { acr, distribution, previews } from './data-plane.ts';
import type { AcrGroup } from './entry.ts';
import { registries } from './registries.ts';
import { signIn } from './sign-in.ts';
import { tasks } from './tasks.ts';
import { tree } from './tree.ts';

/** Azure Container Registry's operations, and what of them Berth answers, in the order of the page. */
export const acrGroups: readonly AcrGroup[] = [distribution, acr, signIn, registries, children, tree, tasks, previews];
