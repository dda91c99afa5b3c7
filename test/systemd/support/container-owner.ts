// Boots a container, prints its id, and waits to be killed.

import { Container } from "../../lab/container.ts";

const container = await Container.boot();
console.log(container.id);
setInterval(() => {}, 60_000);
