/**
 * What ADC does with `.env`: all of it is loaded, then the server is asked. Prints the answer.
 *
 * @module
 */

import process from "node:process";
import axios from "axios";
import dotenv from "dotenv";

dotenv.config({ quiet: true });
const { data } = await axios.get(`${process.env.ADC_SERVER}/apisix/admin/routes`, {
  headers: { "X-API-KEY": process.env.ADC_TOKEN },
});
process.stdout.write(data);
