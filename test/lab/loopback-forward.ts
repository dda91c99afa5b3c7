// Joins a connection to a new one: bytes, ends and errors pass in both directions.

import { connect, type NetConnectOpts, type Socket } from "node:net";

export function forwardTo(socket: Socket, target: NetConnectOpts): void {
  const other = connect(target);
  const close = () => {
    socket.destroy();
    other.destroy();
  };
  for (const end of [socket, other]) end.on("error", close).on("close", close);
  socket.pipe(other).pipe(socket);
}
