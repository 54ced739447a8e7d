// A page as any integrator would write it, which also writes down all that it is told.
import { Tollbridge } from "/sdk/index.js";

const query = new URLSearchParams(location.search);
const bridge = new Tollbridge({
  scope: query.get("scope") ?? "player:read player:control system:read",
  redirectUri: "/callback.html",
  ports: [Number(query.get("port"))],
});
const seen = { statuses: [], events: [], gaps: [], faults: [], resumed: null };
const plain = ({ code, name, message }) => ({ code, name, message, at: Date.now() });

bridge.onStatus((status, reason) => {
  seen.statuses.push({ status, reason: reason?.code ?? null });
  document.querySelector("#status").textContent = status;
});
bridge.on("player", (event) => seen.events.push(event));
bridge.onGap((gap) => seen.gaps.push(gap));
document.querySelector("#connect").onclick = () => bridge.connect().catch((error) => seen.faults.push(plain(error)));

// What a test asks of the page; errors come back as values.
window.visit = {
  seen,
  status: () => bridge.status,
  call: (command, params) => bridge.call(command, params).then((result) => ({ result }), (error) => ({ error: plain(error) })),
  state: (app) => bridge.state(app).then((result) => ({ result }), (error) => ({ error: plain(error) })),
  listen: (topic) => void bridge.on(topic, () => {}),
  disconnect: () => bridge.disconnect(),
};
seen.resumed = await bridge.resume();
